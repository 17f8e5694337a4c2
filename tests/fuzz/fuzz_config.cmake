set(FUZZ_SOURCES core/base/*.c core/graph/yaml_tree.c apps/dlcore/config.c apps/dlcore/options.c apps/dlcore/table.c)
set(FUZZ_PACKAGES yaml-0.1)
set(FUZZ_LIBRARIES m)
