set(FUZZ_SOURCES plugins/cifar/*.c)
