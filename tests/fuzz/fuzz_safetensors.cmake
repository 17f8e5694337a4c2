set(FUZZ_SOURCES core/train/safetensors*.c core/base/file.c core/base/atomic_file.c core/base/status.c core/base/arena.c
  core/base/str.c)
set(FUZZ_PACKAGES jansson)
