/* The table of options. To add one: its row here, its field in cli_options, its test. */
#include "options.h"

#define AT(field) offsetof(cli_options, field)
#define KEPT      (CLI_SETTING | CLI_RECORDED)
#define SHAPES    (CLI_TRAIN | CLI_SUMMARY)

const cli_option cli_table[] = {
    /* clang-format off */
    {"Data", "dataset", NULL, 0, CLI_STRING, SHAPES, KEPT, AT(dataset), "auto", NULL, "NAME[:k=v,..]",
     "what to train on: fashion-mnist, mnist, idx, cifar10, cifar100, imagefolder, shapes or a plugin's; auto: what --data-dir holds, without it fashion-mnist if it is there, else shapes"},
    {"Data", "data-dir", "data-path|data", 0, CLI_STRING, SHAPES, KEPT, AT(data_dir), NULL, NULL, "DIR|ARCHIVE",
     "where its files are, in a folder, .tar, .tar.gz or .zip (default: the usual places)"},
    {"Data", "limit-per-class", "max-samples-per-class", 0, CLI_INT, SHAPES, KEPT, AT(limit_per_class), NULL, "1..", "N",
     "at most N pictures of every class, for data sets that can do so (imagefolder)"},
    {"Data", "val-split", NULL, 0, CLI_SPLIT, CLI_TRAIN, KEPT, AT(val_split), "0", NULL, "X",
     "cut a validation part off the training data: 0.1, or 5000 images"},
    {"Data", "stratified", NULL, 0, CLI_BOOL, CLI_TRAIN, KEPT, AT(stratified), "false", NULL, NULL,
     "with --val-split: the same share of every class"},
    {"Data", "train-transforms", NULL, 0, CLI_TRANSFORMS, CLI_TRAIN, KEPT, AT(train_transforms), NULL, NULL, "LIST",
     "what is done to training pictures: \"random_crop(32, padding=4) random_horizontal_flip normalize(cifar10)\"; none: nothing"},
    {"Data", "eval-transforms", NULL, 0, CLI_TRANSFORMS, SHAPES, KEPT, AT(eval_transforms), NULL, NULL, "LIST",
     "what is done to those of validation, test and prediction: \"resize(256) center_crop(224) normalize(imagenet)\""},
    {"Data", "shuffle", NULL, 0, CLI_BOOL, CLI_TRAIN, KEPT, AT(shuffle), "true", NULL, NULL,
     "take the training data in the order of its files"},
    {"Data", "workers", NULL, 'j', CLI_INT, CLI_TRAIN, KEPT, AT(workers), NULL, "0..256", "N",
     "threads that read ahead (default: 0 for data in memory without transforms, else one a processor, at most 8)"},
    {"Data", "cache-memory", NULL, 0, CLI_SIZE, CLI_TRAIN, KEPT, AT(cache_memory), NULL, NULL, "SIZE",
     "keep decoded pictures in at most so much memory, 512M or 4G; 0: keep none (default: a quarter of what is free)"},
    {"Data", "on-bad-image", NULL, 0, CLI_STRING, CLI_TRAIN, KEPT, AT(on_bad_image), "fail", "fail|skip|warn", "WHAT",
     "fail: stop at a picture that cannot be read whole; skip: another one takes its place; warn: use what can be read"},
    {"Data", "limit-batches", NULL, 0, CLI_INT, CLI_TRAIN, KEPT, AT(limit_batches), "0", "0..4294967295", "N",
     "at most N batches of training, of validation and of test an epoch; 0: all"},

    {"Model", "model", NULL, 'm', CLI_STRING, SHAPES, KEPT, AT(model), "lenet", NULL, "NAME|FILE.yaml",
     "lenet, mlp or a model file of your own"},
    {"Model", "init-from", "initial-checkpoint|pretrained-path", 0, CLI_STRING, CLI_TRAIN, KEPT, AT(init_from), NULL, NULL,
     "FILE", "begin with the weights of this safetensors file"},
    {"Model", "input", NULL, 0, CLI_STRING, CLI_SUMMARY, 0, AT(input), NULL, NULL, "CxHxW",
     "shape of one picture, instead of a dataset's"},
    {"Model", "classes", NULL, 0, CLI_INT, CLI_SUMMARY, 0, AT(classes), "10", "1..1000000", "N",
     "number of classes that goes with --input"},

    {"Training", "epochs", NULL, 'e', CLI_INT, CLI_TRAIN, KEPT, AT(epochs), "3", "1..1000000", "N",
     "passes over the training data"},
    {"Training", "batch-size", "batch", 'b', CLI_INT, CLI_TRAIN, KEPT, AT(batch_size), "64", "1..65536", "N",
     "images a step"},
    {"Training", "opt", "optimizer", 0, CLI_STRING, CLI_TRAIN, KEPT, AT(opt), "adam", NULL, "NAME[:k=v,..]",
     "sgd, adam or a plugin's; adam:beta1=0.8 sets one of its attributes"},
    {"Training", "lr", "learning-rate", 0, CLI_FLOAT, CLI_TRAIN, KEPT, AT(lr), "0.001", "0..1000", "X", "learning rate"},
    {"Training", "momentum", NULL, 0, CLI_FLOAT, CLI_TRAIN, KEPT, AT(momentum), NULL, "0..1", "X",
     "of optimizers that have one (default: the optimizer's)"},
    {"Training", "weight-decay", "wd", 0, CLI_FLOAT, CLI_TRAIN, KEPT, AT(weight_decay), NULL, "0..1000", "X",
     "L2 penalty (default: the optimizer's)"},
    {"Training", "seed", NULL, 0, CLI_INT, CLI_TRAIN, KEPT, AT(seed), "0", "0..", "N",
     "everything random is a function of it"},

    {"Machine", "backend", "device", 0, CLI_STRING, CLI_TRAIN, KEPT, AT(backend), "auto", NULL, "NAME[:k=v,..]",
     "who computes: cpu, reference (slow, exact) or a plugin's; auto: the best that starts here"},
    {"Machine", "threads", NULL, 0, CLI_INT, CLI_ALL, KEPT, AT(threads), "0", "0..1024", "N",
     "threads that compute; 0: one a processor. Results do not depend on it"},
    {"Machine", "plugin-path", NULL, 0, CLI_STRING, CLI_ALL, KEPT, AT(plugin_path), NULL, NULL, "DIR[:DIR..]",
     "folders to look for plugins in, before the usual ones"},

    {"Output", "output", "output-dir|project", 'o', CLI_STRING, CLI_TRAIN, KEPT, AT(output), "runs", NULL, "DIR",
     "folder that run folders are made in"},
    {"Output", "name", "experiment", 0, CLI_STRING, CLI_TRAIN, CLI_SETTING, AT(name), NULL, NULL, "NAME",
     "the run folder's name (default: dataset, model and time)"},
    {"Output", "exist-ok", NULL, 0, CLI_BOOL, CLI_TRAIN, CLI_SETTING, AT(exist_ok), "false", NULL, NULL,
     "write into a run folder that exists"},
    {"Output", "logger", NULL, 0, CLI_LIST, CLI_TRAIN, KEPT, AT(logger), "csv", NULL, "NAME[:k=v,..]",
     "who writes the numbers down; may be given several times; none: nobody"},
    {"Output", "dump-graph", NULL, 0, CLI_STRING, CLI_TRAIN, 0, AT(dump_graph), NULL, "forward|loss|backward|update|plan",
     "STAGE", "print the training graph after a stage (forward, loss, backward, update, plan) and train nothing"},
    {"Output", "json", NULL, 0, CLI_BOOL, CLI_PLUGINS, 0, AT(json), "false", NULL, NULL, "for programs to read"},

    {"General", "config", NULL, 'c', CLI_STRING, SHAPES, 0, AT(config), NULL, NULL, "NAME|FILE.yaml",
     "read options from a recipe of the installation, as net-002, or from a YAML file, as the config.yaml of a run"},
    {"General", "progress", NULL, 0, CLI_BOOL, CLI_TRAIN, CLI_SETTING, AT(progress), "true", NULL, NULL,
     "no progress lines"},
    {"General", "quiet", NULL, 'q', CLI_BOOL, CLI_ALL, CLI_SETTING, AT(quiet), "false", NULL, NULL, "only errors"},
    {"General", "verbose", NULL, 'v', CLI_BOOL, CLI_ALL, CLI_SETTING, AT(verbose), "false", NULL, NULL, "more lines"},
    {"General", "color", NULL, 0, CLI_STRING, CLI_ALL, CLI_SETTING, AT(color), "auto", "auto|always|never", "WHEN",
     "auto, always or never"},
    {"General", "help", NULL, 'h', CLI_BOOL, CLI_ALL, 0, AT(help), "false", NULL, NULL, "this text"},
    {"General", "version", NULL, 0, CLI_BOOL, CLI_ALL, 0, AT(version), "false", NULL, NULL, "the program's version"},
    /* clang-format on */
};
const size_t cli_table_size = sizeof cli_table / sizeof *cli_table;
