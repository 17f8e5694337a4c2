/* What the program understands: options, environment, configuration files, names. */
#include "program.h"

/* ---- the command line ---- */

START_TEST(unknown_option_gets_the_nearest)
{
  ck_refuses("--epoch 3", 2, "unknown option --epoch; did you mean --epochs?");
  ck_refuses("--btach-size=3", 2, "did you mean --batch-size?");
  ck_refuses("--no-shufle", 2, "did you mean --no-shuffle?");
  ck_refuses("-z", 2, "unknown option -z");
}
END_TEST

START_TEST(unknown_command_gets_the_nearest)
{
  ck_refuses("trian", 2, "unknown command 'trian'; did you mean 'train'?");
  ck_refuses("zzzzzz", 2, "unknown command 'zzzzzz'");
  ck_refuses("--epochs 1 train", 2, "unexpected argument 'train'");
}
END_TEST

START_TEST(value_out_of_range_names_option_range_and_value)
{
  ck_refuses("--epochs 0", 2, "--epochs: expected a whole number in 1..1000000, got '0'");
  ck_refuses("--epochs 1.5", 2, "got '1.5'");
  ck_refuses("-b 65537", 2, "-b: expected a whole number in 1..65536, got '65537'");
  ck_refuses("--lr abc", 2, "--lr: expected a number in 0..1000, got 'abc'");
  ck_refuses("--lr=-0.1", 2, "got '-0.1'");
  ck_refuses("--lr nan", 2, "got 'nan'");
  ck_refuses("--seed 99999999999999999999", 2, "--seed: expected a whole number");
  ck_refuses("--val-split 1.5", 2, "--val-split: expected a fraction below 1 or a number of images, got '1.5'");
  ck_refuses("--color blue", 2, "--color: expected one of auto|always|never, got 'blue'");
  ck_refuses("--exist-ok=maybe", 2, "--exist-ok: expected true or false, got 'maybe'");
  ck_refuses("--dump-graph nowhere", 2, "--dump-graph: expected one of forward|loss|backward|update|plan");
}
END_TEST

START_TEST(missing_value_is_not_taken_from_the_next_option)
{
  ck_refuses("--name --epochs 3", 2, "--name needs a value");
  ck_refuses("-e", 2, "-e needs a value");
  ck_refuses("--name=", 2, "--name: expected a text");
}
END_TEST

START_TEST(only_switches_can_be_negated)
{
  ck_refuses("--no-epochs", 2, "unknown option --no-epochs");
  ck_refuses("--no-progress=true", 2, "--no-progress takes no value");
}
END_TEST

START_TEST(option_of_another_command_is_refused)
{
  ck_refuses("plugins --epochs 3", 2, "--epochs is not an option of dlcore plugins");
  ck_refuses("--json", 2, "--json is not an option of dlcore train");
}
END_TEST

START_TEST(all_spellings_of_an_option_are_one)
{
  static const char *const spellings[] = {
      "--batch_size 16", "--batch-size=16", "--batch 16", "-b 16", "-b16", "train --batch_size=16 --batch-size 16",
      "train -qvb 16"};
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
    char arguments[512], name[16];
    snprintf(name, sizeof name, "r%zu", i);
    snprintf(arguments, sizeof arguments,
             "%s --dataset shapes:count=32,test-count=8 --backend reference --model mlp -e1 --logger none --name %s",
             spellings[i], name);
    ck_runs(arguments, 0);
    char path[64];
    snprintf(path, sizeof path, "runs/%s/config.yaml", name);
    char *text = read_file(path, NULL);
    ck_contains(text, "batch-size: 16\n");
    free(text);
  }
}
END_TEST

START_TEST(help_names_every_command_and_default)
{
  ck_runs("--help", 0);
  ck_contains(out_text, "dlcore summary");
  ck_contains(out_text, "dlcore plugins");
  ck_contains(out_text, "dlcore predict");
  ck_contains(out_text, "dlcore data info|check|grid|extract");
  ck_contains(out_text, "--epochs N");
  ck_contains(out_text, "(default: 3)");
  ck_contains(out_text, "--no-shuffle");
  ck_lacks(out_text, "for programs to read");
  ck_contains(out_text, "-o, --output DIR");
  ck_runs("predict -h", 0);
  ck_contains(out_text, "-o, --output FILE");
  ck_lacks(out_text, "--output DIR");
  ck_runs("plugins -h", 0);
  ck_contains(out_text, "--json");
  ck_lacks(out_text, "--epochs N");
}
END_TEST

/* A folder that cannot be read and a configuration file that is not there do not matter: nothing is opened. */
START_TEST(help_and_version_read_nothing)
{
  setenv("DLCORE_EPOCHS", "none", 1);
  ck_runs("--help -c missing.yaml --plugin-path /nowhere", 0);
  ck_runs("--version", 0);
  ck_contains(out_text, "dlcore ");
  ck_assert_str_eq(err_text, "");
}
END_TEST

/* ---- where values come from ---- */

/* The line of config.yaml that begins with `key`, of run `name`. */
static void check_config(const char *name, const char *line)
{
  char path[256];
  snprintf(path, sizeof path, "runs/%s/config.yaml", name);
  char *text = read_file(path, NULL);
  ck_contains(text, line);
  free(text);
}

START_TEST(command_line_beats_environment_beats_file_beats_default)
{
  write_text("c.yaml", "seed: 1\nlr: 0.5\n");
  ck_runs(QUICK "--name default", 0);
  check_config("default", "\nseed: 0\n");
  ck_runs(QUICK "-c c.yaml --name file", 0);
  check_config("file", "\nseed: 1\n");
  check_config("file", "\nlr: 0.5\n");
  setenv("DLCORE_SEED", "2", 1);
  ck_runs(QUICK "-c c.yaml --name environment", 0);
  check_config("environment", "\nseed: 2\n");
  check_config("environment", "\nlr: 0.5\n");
  ck_runs(QUICK "--seed 3 -c c.yaml --name line", 0);
  check_config("line", "\nseed: 3\n");
}
END_TEST

START_TEST(list_of_a_higher_source_replaces_that_of_a_lower)
{
  write_text("c.yaml", "logger: [csv, nosuch]\n");
  ck_refuses("-c c.yaml", 2, "no logger is called 'nosuch'");
  ck_runs(QUICK "-c c.yaml --name x", 0);
  check_config("x", "logger:\n- none\n");
}
END_TEST

START_TEST(environment_is_checked_like_the_command_line)
{
  setenv("DLCORE_BATCH_SIZE", "many", 1);
  ck_refuses("", 2, "DLCORE_BATCH_SIZE: expected a whole number in 1..65536, got 'many'");
}
END_TEST

START_TEST(mistyped_environment_is_mentioned)
{
  setenv("DLCORE_EPOCH", "2", 1);
  ck_runs("summary --input 1x28x28", 0);
  ck_contains(err_text, "DLCORE_EPOCH in the environment is not an option; did you mean epochs?");
}
END_TEST

/* ---- configuration files ---- */

START_TEST(written_configuration_gives_the_same_run)
{
  ck_runs(QUICK "--lr 0.0123 --weight-decay 1e-4 --opt sgd --momentum 0.9 --seed 7 --val-split 0.25 --no-shuffle "
                "--name a",
          0);
  ck_runs("-c runs/a/config.yaml --name b", 0);
  ck_assert(same_files("runs/a/config.yaml", "runs/b/config.yaml"));
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
}
END_TEST

START_TEST(awkward_values_survive_the_configuration_file)
{
  ck_runs(QUICK "--output #a:_b,'c --name 1", 0);
  ck_runs("-c #a:_b,'c/1/config.yaml --name 2", 0);
  ck_assert(same_files("#a:_b,'c/1/config.yaml", "#a:_b,'c/2/config.yaml"));
  ck_runs(QUICK "--output null --name 1", 0);
  ck_runs("-c null/1/config.yaml --name 2", 0);
  ck_assert(same_files("null/1/config.yaml", "null/2/config.yaml"));
}
END_TEST

static void refuse_config(const char *text, const char *reason)
{
  write_text("c.yaml", text);
  ck_refuses("-c c.yaml", 2, reason);
  ck_assert(!exists("runs"));
}

START_TEST(bad_configuration_is_refused_with_line_and_column)
{
  refuse_config("epochs: 3\nepoch: 4\n", "c.yaml:2:1: unknown option 'epoch'; did you mean 'epochs'?");
  refuse_config("epochs: 3\nlr: 1\nepochs: 4\n", "c.yaml:3:1: `epochs` is given twice, first in line 1");
  refuse_config("weight-decay: 1\nwd: 1\n", "c.yaml:2:1: `wd` is given twice, first in line 1");
  refuse_config("epochs: 0\n", "c.yaml:1:9: epochs: expected a whole number in 1..1000000, got '0'");
  refuse_config("epochs: [1, 2\n", "c.yaml:");
  refuse_config("epochs: 'x\n", "c.yaml:2:1: found unexpected end of stream");
  refuse_config("epochs: [1]\n", "c.yaml:1:9: expected one value");
  refuse_config("logger: {csv: 1}\n", "c.yaml:1:9: expected a value or a list of values");
  refuse_config("help: true\n", "c.yaml:1:1: not for a configuration file: 'help'");
  refuse_config("- epochs\n", "c.yaml:1:1: expected options");
  refuse_config("epochs: 1\n---\nepochs: 2\n", "expected one document only");
  refuse_config("output: \"a\\0b\"\n", "c.yaml:1:9: a NUL character");
}
END_TEST

START_TEST(anchors_aliases_and_tags_are_refused)
{
  refuse_config("seed: &a 3\n", "c.yaml:1:7: anchors are not allowed here");
  refuse_config("epochs: *a\n", "c.yaml:1:9: aliases are not allowed here");
  refuse_config("epochs: !!int 3\n", "c.yaml:1:9: tags are not allowed here");
  refuse_config("logger: &l [csv]\n", "c.yaml:1:9: anchors are not allowed here");
}
END_TEST

START_TEST(deep_and_huge_configurations_are_refused)
{
  char *text = malloc((1 << 20) + 64);
  memset(text, '[', 4096);
  memcpy(text, "logger: ", 8);
  text[4096] = 0;
  refuse_config(text, "c.yaml:1:72: lists and maps within each other, more than 64 deep");
  memset(text, '#', 1 << 20);
  strcpy(text + (1 << 20), "\nepochs: 3\n");
  refuse_config(text, "c.yaml");
  free(text);
  ck_refuses("-c missing.yaml", 2, "missing.yaml");
}
END_TEST

START_TEST(null_leaves_the_default)
{
  write_text("c.yaml", "# all as it was\nname:\ndata-dir: ~\nseed: null\n");
  ck_runs(QUICK "-c c.yaml --name x", 0);
  check_config("x", "\nseed: 0\n");
  write_text("c.yaml", "# nothing\n");
  ck_runs(QUICK "-c c.yaml --name y", 0);
}
END_TEST

/* ---- names ---- */

START_TEST(unknown_names_get_the_nearest)
{
  ck_refuses(QUICK "--model lenett", 2, "--model: there is no model 'lenett'; did you mean 'lenet'?");
  ck_refuses(QUICK "--model zzzzzzzz", 2, "there are: ");
  ck_refuses(QUICK "--dataset shaeps", 2, "no dataset is called 'shaeps'; did you mean 'shapes'?");
  ck_refuses(QUICK "--opt adma", 2, "no op is called 'adma'; did you mean 'adam'?");
  ck_refuses(QUICK "--logger cvs", 2, "no logger is called 'cvs'; did you mean 'csv'?");
  ck_refuses(QUICK "--backend nosuch", 2, "--backend: no backend is called 'nosuch'");
  ck_refuses("plugins shaeps", 2, "no plugin is called 'shaeps' or provides it; did you mean 'shapes'?");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(options_of_plugins_and_optimizers_are_checked)
{
  ck_refuses(QUICK "--dataset shapes:cuont=3", 2, "shapes has no option 'cuont'; did you mean 'count'?");
  ck_refuses(QUICK "--dataset shapes:count=0", 2, "option count is '0', expected 1..");
  ck_refuses(QUICK "--opt adam:beta3=1", 2, "--opt: adam has no `beta3`");
  ck_refuses(QUICK "--opt adam:beta1", 2, "--opt: expected name=value, got 'beta1'");
  ck_refuses(QUICK "--opt adam --momentum 0.9", 2, "--momentum: adam has no `momentum`");
  ck_refuses(QUICK "--opt relu", 2, "--opt: relu is an op, but no optimizer");
}
END_TEST

START_TEST(model_files_are_refused_with_their_place)
{
  write_text("m.yaml", "layers:\n  - conv2d: {out_channels: 6\n");
  ck_refuses(QUICK "--model m.yaml", 1, "m.yaml:3:1:");
  write_text("m.yaml", "layers:\n  - flatten\n  - lineer: {out_features: 10}\n");
  ck_refuses(QUICK "--model ./m.yaml", 1, "linear");
  ck_contains(err_text, "m.yaml:3");
  write_text("m.yaml", "layers:\n  - conv2d: {name: big, out_channels: 6, kernel_size: 29}\n  - flatten\n");
  ck_refuses(QUICK "--model m.yaml", 1, "big");
  write_text("m.yaml", "layers:\n  - flatten\n  - linear: {name: last, out_features: 9}\n");
  ck_refuses(QUICK "--model m.yaml", 1, "10");
  ck_refuses(QUICK "--model missing.yaml", 1, "missing.yaml");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(a_backend_that_does_not_open_is_passed_over_by_auto_and_an_error_when_named)
{
  ck_assert_int_eq(system("cc -shared -fPIC -w -I" TEST_SDK_INCLUDE " -DID='\"best\"' -DSCORE=1000 -DNO_DEVICE "
                          "-DBACKEND='.name=\"best\"' " TEST_SOURCE_DIR "/fixtures/plugin.c -o dlcore-best.so"),
                   0);
  ck_assert_int_eq(dlcore("--dataset shapes:count=64,test-count=32 --model mlp -e1 --logger none --plugin-path ."), 0);
  ck_assert_msg(strstr(err_text, "backend best cannot start: the device is broken"), "%s", err_text);
  ck_assert_msg(strstr(out_text, "backend   cpu: "), "%s", out_text);
  ck_refuses("--dataset shapes:count=64 --backend best --plugin-path .", 1,
             "backend best cannot start: the device is broken");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("cli");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, unknown_option_gets_the_nearest);
  tcase_add_test(t, unknown_command_gets_the_nearest);
  tcase_add_test(t, value_out_of_range_names_option_range_and_value);
  tcase_add_test(t, missing_value_is_not_taken_from_the_next_option);
  tcase_add_test(t, only_switches_can_be_negated);
  tcase_add_test(t, option_of_another_command_is_refused);
  tcase_add_test(t, all_spellings_of_an_option_are_one);
  tcase_add_test(t, help_names_every_command_and_default);
  tcase_add_test(t, help_and_version_read_nothing);
  tcase_add_test(t, command_line_beats_environment_beats_file_beats_default);
  tcase_add_test(t, list_of_a_higher_source_replaces_that_of_a_lower);
  tcase_add_test(t, environment_is_checked_like_the_command_line);
  tcase_add_test(t, mistyped_environment_is_mentioned);
  tcase_add_test(t, written_configuration_gives_the_same_run);
  tcase_add_test(t, awkward_values_survive_the_configuration_file);
  tcase_add_test(t, bad_configuration_is_refused_with_line_and_column);
  tcase_add_test(t, anchors_aliases_and_tags_are_refused);
  tcase_add_test(t, deep_and_huge_configurations_are_refused);
  tcase_add_test(t, null_leaves_the_default);
  tcase_add_test(t, unknown_names_get_the_nearest);
  tcase_add_test(t, options_of_plugins_and_optimizers_are_checked);
  tcase_add_test(t, model_files_are_refused_with_their_place);
  tcase_add_test(t, a_backend_that_does_not_open_is_passed_over_by_auto_and_an_error_when_named);
  return run_suite("cli", t);
}
