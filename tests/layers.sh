#!/bin/sh
# Which way the folders depend, checked on the #include lines: core/ only goes base <- host <- graph <- ops, transforms
# <- run <- data <- train; ops know nothing but base and the SDK; a plugin includes nothing of ours but <dlcore/plugin.h>. And no
# file grows past what can be read in one sitting.
cd "$(dirname "$0")/.." || exit 1
find core plugins sdk apps tests -name '*.[ch]' | LC_ALL=C sort | xargs awk '
  function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
  BEGIN {
    n = split("base host graph ops transforms run data train", names, " ")
    for (i = 1; i <= n; i++) rank[names[i]] = i
  }
  FNR == 1 { depth = split(FILENAME, part, "/") - 3; top = part[1]; folder = part[2] }
  FNR == 801 { complain("more than 800 lines") }
  /^[ \t]*#[ \t]*include/ {
    split($0, piece, /[<>"]/); file = piece[2]; quoted = $0 ~ /"/
    split(file, dir, "/")
    if (top == "core" && quoted && file ~ /\// && dir[1] != "dlcore") {
      if (!(dir[1] in rank)) complain(file " is not in core/")
      else if (rank[dir[1]] > rank[folder]) complain("core/" folder " may not include " file)
      else if (folder == "ops" && dir[1] != "ops" && dir[1] != "base") complain("core/ops may not include " file)
    }
    if (top == "core" && file ~ /cblas|cuda|dnnl/) complain("the core knows nothing of " file)
    if (top == "plugins" || FILENAME ~ /^sdk\/templates/) {
      ups = gsub(/\.\.\//, "&", file) # how far up it goes, and how far up its own folder is
      if (ups > depth || dir[1] in rank || (dir[1] == "dlcore" && file != "dlcore/plugin.h"))
        complain("a plugin may not include " file)
    }
  }
  END { exit bad }'
