set(FUZZ_SOURCES plugins/imagefolder/decode.c plugins/imagefolder/jpeg.c plugins/imagefolder/png.c
  plugins/imagefolder/pnm.c plugins/imagefolder/exif.c)
set(FUZZ_PACKAGES libjpeg libpng)
set(FUZZ_LIBRARIES m)
