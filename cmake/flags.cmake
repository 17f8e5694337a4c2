# Compiler flags of everything in the tree, plugins included.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith)
add_compile_definitions(_GNU_SOURCE)
# No contraction behind our back: the same source gives the same numbers in every build.
add_compile_options(-ffp-contract=off)
if(DLCORE_WERROR)
  add_compile_options(-Werror)
endif()
if(DLCORE_SANITIZE)
  add_compile_options(-fsanitize=${DLCORE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DLCORE_SANITIZE})
endif()
