# find_package(dlcore-sdk) and then:
#   dlcore_add_plugin(acme SOURCES acme.c)     # builds dlcore-acme.so
get_filename_component(DLCORE_SDK_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET dlcore::sdk)
  add_library(dlcore::sdk INTERFACE IMPORTED)
  set_target_properties(dlcore::sdk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${DLCORE_SDK_PREFIX}/include")
endif()

function(dlcore_add_plugin id)
  cmake_parse_arguments(P "" "" "SOURCES" ${ARGN})
  add_library(dlcore-${id} MODULE ${P_SOURCES})
  set_target_properties(dlcore-${id} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden)
  target_link_libraries(dlcore-${id} PRIVATE dlcore::sdk)
  if(NOT DLCORE_SANITIZE)
    target_link_options(dlcore-${id} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
