/* The data sets of this plugin. Class names and their order are those of the sets' own papers and of torchvision. */
#include "idx.h"

static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const char *const fashion[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
static const char *const kuzushiji[] = {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"};
static const char *const by_class[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F",
                                       "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V",
                                       "W", "X", "Y", "Z", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
                                       "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"};
/* Lower-case letters that look like their capitals are one class with them. */
static const char *const by_merge[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F",
                                       "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V",
                                       "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"};
static const char *const letters[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
                                      "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z"};

static const char *const mnist_folders[] = {"MNIST/raw", "mnist", "mnist/raw", "MNIST", NULL};
static const char *const fashion_folders[] = {"FashionMNIST/raw", "fashion-mnist", "fashion-mnist/raw",
                                              "fashion_mnist",    "FashionMNIST",  NULL};
static const char *const kmnist_folders[] = {"KMNIST/raw", "kmnist", "kmnist/raw", "KMNIST", NULL};
static const char *const emnist_folders[] = {"EMNIST/raw", "emnist", "emnist/raw", "EMNIST", "gzip", NULL};
static const char *const idx_folders[] = {"MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "mnist", NULL};

static const idx_kind mnist[] = {{.title = "MNIST",
                                  .home = "ossci-datasets.s3.amazonaws.com/mnist",
                                  .folders = mnist_folders,
                                  .names = digits,
                                  .n_classes = 10,
                                  .mean = 0.1307f,
                                  .std = 0.3081f}};
static const idx_kind fashion_mnist[] = {
    {.title = "Fashion-MNIST",
     .home = "Debian's package dataset-fashion-mnist or github.com/zalandoresearch/fashion-mnist",
     .folders = fashion_folders,
     .names = fashion,
     .n_classes = 10,
     .mean = 0.2860f,
     .std = 0.3530f}};
static const idx_kind kmnist[] = {{.title = "KMNIST",
                                   .home = "codh.rois.ac.jp/kmnist",
                                   .folders = kmnist_folders,
                                   .names = kuzushiji,
                                   .n_classes = 10}};
static const idx_kind plain[] = {{.title = "idx", .folders = idx_folders}};

#define EMNIST(variant_, names_, n, first)                                                                             \
  {                                                                                                                    \
    .title = "EMNIST " variant_, .home = "www.nist.gov/itl/products-and-services/emnist-dataset",                      \
    .folders = emnist_folders, .variant = variant_, .names = names_, .n_classes = n, .first_label = first,             \
    .transposed = 1                                                                                                    \
  }
static const idx_kind emnist[] = {EMNIST("balanced", by_merge, 47, 0), EMNIST("byclass", by_class, 62, 0),
                                  EMNIST("bymerge", by_merge, 47, 0),  EMNIST("digits", digits, 10, 0),
                                  EMNIST("letters", letters, 26, 1),   EMNIST("mnist", digits, 10, 0)};

static const dlc_option emnist_options[] = {{sizeof(dlc_option), DLC_OPTION_STRING, "variant", "balanced",
                                             "balanced|byclass|bymerge|digits|letters|mnist",
                                             "which of EMNIST's six splits into classes"}};
static const dlc_option plain_options[] = {
    {sizeof(dlc_option), DLC_OPTION_INT, "classes", "0", "0..256", "number of classes; 0: largest label + 1"}};

#define DATASET(name_, help_, options_, n_options_, kinds_)                                                            \
  {                                                                                                                    \
    .base = {.size = sizeof(dlc_dataset),                                                                              \
             .name = name_,                                                                                            \
             .help = help_,                                                                                            \
             .options = options_,                                                                                      \
             .n_options = n_options_,                                                                                  \
             .open = idx_open,                                                                                         \
             .close = idx_close,                                                                                       \
             .info = idx_info},                                                                                        \
    .kinds = kinds_, .n_kinds = sizeof kinds_ / sizeof kinds_[0]                                                       \
  }
const idx_dataset idx_datasets[] = {
    DATASET("mnist", "handwritten digits, 10 classes, 28x28 grey", NULL, 0, mnist),
    DATASET("fashion-mnist", "pictures of clothes, 10 classes, 28x28 grey", NULL, 0, fashion_mnist),
    DATASET("kmnist", "handwritten kuzushiji characters, 10 classes, 28x28 grey", NULL, 0, kmnist),
    DATASET("emnist", "handwritten letters and digits, 10 to 62 classes, 28x28 grey", emnist_options, 1, emnist),
    DATASET("idx", "pictures of any size in four idx files", plain_options, 1, plain)};
const uint32_t idx_n_datasets = sizeof idx_datasets / sizeof idx_datasets[0];
