set(FUZZ_SOURCES plugins/archive/*.c)
set(FUZZ_PACKAGES libarchive libdeflate zlib)
