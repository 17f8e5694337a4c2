set(FUZZ_SOURCES core/base/*.c core/graph/*.c core/ops/*.c)
set(FUZZ_PACKAGES yaml-0.1)
set(FUZZ_LIBRARIES m)
