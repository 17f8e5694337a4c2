/* The data sets of this plugin: file names, keys and numbers of the original archives. Means and deviations are those
 * of the train splits, to the four digits that everybody uses. */
#include "cifar.h"

static const float mean_10[3] = {0.4914f, 0.4822f, 0.4465f}, std_10[3] = {0.2470f, 0.2435f, 0.2616f};
static const float mean_100[3] = {0.5071f, 0.4865f, 0.4409f}, std_100[3] = {0.2673f, 0.2564f, 0.2762f};

static const cifar_labels ten = {10, "labels", "label_names", "batches.meta.txt", 0};
static const cifar_labels fine = {100, "fine_labels", "fine_label_names", "fine_label_names.txt", 1};
static const cifar_labels coarse = {20, "coarse_labels", "coarse_label_names", "coarse_label_names.txt", 0};

/* Keras keeps the archives under names of its own. */
const cifar_layout cifar_layouts[] = {
    {.title = "CIFAR-10",
     .kind = 10,
     .folder = "cifar-10-batches-py",
     .archives = {"cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz"},
     .md5 = "c58f30108f718f92721af3b95e74349a",
     .n_train = 5,
     .n_batches = 6,
     .files = {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"},
     .meta = "batches.meta",
     .labels = {&ten},
     .mean = mean_10,
     .std = std_10},
    {.title = "CIFAR-10",
     .kind = 10,
     .binary = 1,
     .folder = "cifar-10-batches-bin",
     .archives = {"cifar-10-binary.tar.gz"},
     .n_train = 5,
     .n_batches = 6,
     .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
               "test_batch.bin"},
     .labels = {&ten},
     .record_labels = 1,
     .record_classes = {10},
     .mean = mean_10,
     .std = std_10},
    {.title = "CIFAR-100",
     .kind = 100,
     .folder = "cifar-100-python",
     .archives = {"cifar-100-python.tar.gz"},
     .md5 = "eb9058c3a382ffc7106e4002c42a8d85",
     .n_train = 1,
     .n_batches = 2,
     .files = {"train", "test"},
     .meta = "meta",
     .labels = {&fine, &coarse},
     .mean = mean_100,
     .std = std_100},
    {.title = "CIFAR-100",
     .kind = 100,
     .binary = 1,
     .folder = "cifar-100-binary",
     .archives = {"cifar-100-binary.tar.gz"},
     .n_train = 1,
     .n_batches = 2,
     .files = {"train.bin", "test.bin"},
     .labels = {&fine, &coarse},
     .record_labels = 2,
     .record_classes = {20, 100},
     .mean = mean_100,
     .std = std_100}};
const uint32_t cifar_n_layouts = sizeof cifar_layouts / sizeof cifar_layouts[0];

static const dlc_option options[] = {{sizeof(dlc_option), DLC_OPTION_STRING, "labels", "fine", "fine|coarse",
                                      "CIFAR-100: its 100 classes, or the 20 that they belong to"}};

#define DATASET(name_, help_, options_, n_options_, kind_)                                                             \
  {                                                                                                                    \
    .base = {.size = sizeof(dlc_dataset),                                                                              \
             .name = name_,                                                                                            \
             .help = help_,                                                                                            \
             .options = options_,                                                                                      \
             .n_options = n_options_,                                                                                  \
             .open = cifar_open,                                                                                       \
             .close = cifar_close,                                                                                     \
             .info = cifar_info},                                                                                      \
    .kind = kind_                                                                                                      \
  }
const cifar_dataset cifar_datasets[] = {
    DATASET("cifar10", "photos of 10 things, 32x32 colour; Python or binary version", NULL, 0, 10),
    DATASET("cifar100", "photos of 100 things in 20 groups, 32x32 colour; Python or binary version", options, 1, 100),
    DATASET("cifar", "CIFAR-10 or CIFAR-100, whichever is there", options, 1, 0)};
const uint32_t cifar_n_datasets = sizeof cifar_datasets / sizeof cifar_datasets[0];
