set(FUZZ_SOURCES core/base/*.c core/graph/attr.c core/transforms/*.c)
set(FUZZ_LIBRARIES m)
