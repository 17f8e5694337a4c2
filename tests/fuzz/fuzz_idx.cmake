set(FUZZ_SOURCES plugins/idx/*.c)
set(FUZZ_PACKAGES libdeflate)
set(FUZZ_LIBRARIES m)
