# Installs what a build needs. Sourced by apps/quickstart.sh and tests/run.sh; says nothing when nothing is missing.
#
#   need_packages PACKAGE...    names as in Debian; fails with one list when they cannot be installed
build_packages="cmake ninja-build gcc libc6-dev pkg-config libyaml-dev libjansson-dev libdeflate-dev librandom123-dev
  libopenblas-dev libarchive-dev zlib1g-dev libjpeg-dev libturbojpeg0-dev libpng-dev libxxhash-dev"

compiles() # does the C compiler find this header?
{
  echo "#include <$1>" | cc -E -x c -o /dev/null - 2>/dev/null
}

# Asked of the machine and not of dpkg: what was installed in another way, or on another system, is as good.
have_package()
{
  case $1 in
    cmake | pkg-config | clang | clang-format | bzip2 | zstd) command -v "$1" >/dev/null ;;
    libclang-rt-dev) clang -print-file-name=libclang_rt.fuzzer-$(uname -m).a 2>/dev/null | grep -q / ;;
    xz-utils) command -v xz >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    gcc) command -v cc >/dev/null ;;
    g++) command -v c++ >/dev/null ;;
    libc6-dev) compiles stdio.h ;;
    libyaml-dev) pkg-config --exists yaml-0.1 2>/dev/null ;;
    libjansson-dev) pkg-config --exists jansson 2>/dev/null ;;
    libdeflate-dev) pkg-config --exists libdeflate 2>/dev/null ;;
    zlib1g-dev) pkg-config --exists zlib 2>/dev/null ;;
    libarchive-dev) pkg-config --exists libarchive 2>/dev/null ;;
    libopenblas-dev) pkg-config --exists openblas 2>/dev/null ;;
    libjpeg-dev) pkg-config --exists libjpeg 2>/dev/null ;;
    libturbojpeg0-dev) pkg-config --exists libturbojpeg 2>/dev/null ;;
    libpng-dev) pkg-config --exists libpng 2>/dev/null ;;
    check) pkg-config --exists check 2>/dev/null ;;
    librandom123-dev) compiles Random123/philox.h ;;
    libxxhash-dev) compiles xxhash.h ;;
    dataset-fashion-mnist) [ -d /usr/share/datasets/fashion-mnist ] ;;
    *) echo "cmake/packages.sh does not know how to look for $1" >&2; return 1 ;;
  esac
}

need_packages()
{
  missing=
  for package in "$@"; do have_package "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
    echo "Missing, by their names in Debian:$missing" >&2
    return 1
  fi
  echo "Installing$missing"
  # shellcheck disable=SC2086 # a list of names
  if ! { $as_root apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
    $as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null; }; then
    echo "apt-get could not install:$missing" >&2
    return 1
  fi
}
