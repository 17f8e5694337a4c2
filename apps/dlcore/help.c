/* --help, from the table of options. */
#include "options.h"
#include <stdio.h>
#include <string.h>

enum { LEFT = 34, WIDTH = 96 }; /* columns */

static const char usage_train[] = "usage: dlcore [train] [options]\n"
                                  "\n"
                                  "Trains an image classifier and leaves weights, numbers and configuration in a run "
                                  "folder.\nWithout options: LeNet on Fashion-MNIST, 3 epochs.\n"
                                  "\n"
                                  "  dlcore --dataset mnist --data-dir DIR --epochs 5\n"
                                  "  dlcore --model mlp --opt sgd --lr 0.1 --momentum 0.9 --name first-try\n"
                                  "  dlcore summary --model lenet              layers, shapes, parameters, cost\n"
                                  "  dlcore data info|check|grid|extract       the data, before training on it\n"
                                  "  dlcore predict --run DIR INPUT...         what trained weights make of pictures\n"
                                  "  dlcore eval --run DIR                     how well they do on the test data\n"
                                  "  dlcore plot RUN...                        curves of one run or of several\n"
                                  "  dlcore plugins [NAME] [--json]            what is installed, and why not\n";
static const char usage_summary[] =
    "usage: dlcore summary [options]\n"
    "\n"
    "Shows the layers of a model with their shapes, parameters and operations, and what training it takes.\n"
    "\n"
    "  dlcore summary --model mlp --dataset mnist\n"
    "  dlcore summary --model my.yaml --input 3x32x32 --classes 100\n";
static const char usage_plugins[] =
    "usage: dlcore plugins [NAME] [options]\n"
    "\n"
    "Lists every plugin file that was looked at, in order, with what it provides or why "
    "it was not\ntaken. With the name of a plugin or of something it provides: only that, "
    "and a backend is\nopened to say what it chose for this machine.\n";

static const char usage_predict[] =
    "usage: dlcore predict --run DIR INPUT... [options]\n"
    "\n"
    "Classifies pictures. An INPUT is a folder, an archive or a picture; of a data set with a test\n"
    "split that split is taken, else every picture. The weights know their model, their classes and\n"
    "what is done to pictures before.\n"
    "\n"
    "  dlcore predict --run runs/first-try photos/ more.zip cat.jpg\n"
    "  dlcore predict --run runs/pets dogs-vs-cats.zip --format kaggle --clip 0.005 -o submission.csv\n"
    "  dlcore predict --run runs/first-try --dataset fashion-mnist --split test --topk 3\n";
static const char usage_eval[] =
    "usage: dlcore eval --run DIR [options]\n"
    "\n"
    "Measures trained weights on pictures whose classes are known: loss, accuracies, precision and\n"
    "recall of every class, and the confusion matrix (results.json, confusion_matrix.csv, .svg). The\n"
    "run's configuration says which data, and what its validation part was; options win over it.\n"
    "\n"
    "  dlcore eval --run runs/first-try\n"
    "  dlcore eval --run runs/first-try --split val --json\n"
    "  dlcore eval --weights W.safetensors --data-dir pets.zip -o pets-eval\n";
static const char usage_plot[] =
    "usage: dlcore plot RUN... [options]\n"
    "\n"
    "Draws loss and accuracy over the epochs of one run, or of several on top of each other, on the\n"
    "terminal and as SVG. A RUN is a run folder or its summary.csv. Solid: val or test; dashed: train.\n"
    "\n"
    "  dlcore plot runs/first-try\n"
    "  dlcore plot runs/* -q -o all.svg\n";
static const char usage_data[] = "usage: dlcore data info|check|grid [options]\n"
                                 "       dlcore data extract ARCHIVE DIR\n"
                                 "\n"
                                 "info: classes, counts, shapes, mean and deviation. check: reads every picture. grid: "
                                 "an image of\nwhat the network sees. extract: files from an archive, never outside of "
                                 "DIR.\n"
                                 "\n"
                                 "  dlcore data check --data-dir pets.zip\n"
                                 "  dlcore data grid -c convnet-004 --data-dir pets.zip -o grid.png\n";

/* Words of `text`, broken before WIDTH, continued at column LEFT. */
static void print_wrapped(const char *text, size_t column)
{
  for (const char *space = ""; *text; space = " ") {
    size_t n = strcspn(text, " ");
    if (column + 1 + n > WIDTH) {
      printf("\n%*s", LEFT, "");
      column = LEFT;
      space = "";
    }
    column += (size_t)printf("%s%.*s", space, (int)n, text);
    text += n + (text[n] == ' ');
  }
  putchar('\n');
}

static void print_option(const cli_option *o)
{
  char left[96], help[512];
  bool negative = o->type == CLI_BOOL && strcmp(o->def, "true") == 0;
  char letter[] = {o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', ' ', 0};
  int n = snprintf(left, sizeof left, "  %s--%s%s%s%s", letter, negative ? "no-" : "", o->name, o->value ? " " : "",
                   o->value ? o->value : "");
  bool numeric = o->type == CLI_INT || o->type == CLI_FLOAT;
  bool shows_default = o->type != CLI_BOOL && o->def;
  snprintf(help, sizeof help, "%s%s%s%s%s%s%s", o->help, shows_default ? " (default: " : "",
           shows_default ? o->def : "", shows_default ? ")" : "", numeric && o->range ? " [" : "",
           numeric && o->range ? o->range : "", numeric && o->range ? "]" : "");
  printf("%s", left);
  if (n >= LEFT - 1) {
    putchar('\n');
    n = 0;
  }
  printf("%*s", LEFT - n, "");
  print_wrapped(help, LEFT);
}

void cli_help(int command)
{
  fputs(command == CLI_SUMMARY   ? usage_summary
        : command == CLI_PLUGINS ? usage_plugins
        : command == CLI_PREDICT ? usage_predict
        : command == CLI_EVAL    ? usage_eval
        : command == CLI_PLOT    ? usage_plot
        : command == CLI_DATA    ? usage_data
                                 : usage_train,
        stdout);
  const char *group = "";
  for (size_t i = 0; i < cli_table_size; i++) {
    if (!(cli_table[i].commands & command)) continue;
    if (strcmp(group, cli_table[i].group)) printf("\n%s\n", group = cli_table[i].group);
    print_option(&cli_table[i]);
  }
  puts("\n'_' and '-' are alike in names; --opt=value and --opt value; --no-NAME switches NAME off.\n"
       "DLCORE_EPOCHS=5 in the environment is --epochs 5. The command line comes before the\n"
       "environment, that before the configuration file. Exit status: 0 done, 1 failed, 2 wrong usage,\n"
       "128 + N stopped by signal N (130: Ctrl-C), with the weights saved.");
}
