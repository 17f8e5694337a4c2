/* Every way in which a plugin can be broken: one line says which file and why, and what does not need it goes on. */
#include "plugin_fixture.h"
#include <fcntl.h>

/* Next to every broken plugin lies a good one, compiled once. */
static char good[PATH_MAX];

static void compile_good(void)
{
  make_plugin_folder();
  PLUGIN_FILE("good.so", "-DID=\"good\"");
  snprintf(good, sizeof good, "%s", in_folder("good.so"));
}

static void remove_good(void)
{
  *strrchr(good, '/') = '\0';
  snprintf(folder, sizeof folder, "%s", good);
  remove_folder();
}

static void setup(void)
{
  make_plugin_folder();
  ck_assert_int_eq(symlink(good, in_folder("dlcore-good.so")), 0);
}

/* The file is not taken for this reason, whether all files are opened or just the one that is asked for; the good one
 * is found before and after. */
static void check_refused(const char *expected)
{
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_ptr_nonnull(find_dataset(r, "good"));
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "broken", &object, NULL), DLC_NOT_FOUND);
  char line[4096];
  snprintf(line, sizeof line, "no dataset is called 'broken'; there is good; not taken: %s: %s",
           in_folder("dlcore-broken.so"), expected);
  ck_assert_str_eq(dlc_reason(), line);
  dlc_registry_load_all(r);
  const dlc_plugin_file *file = file_called(r, "dlcore-broken.so");
  ck_assert_ptr_null(file->plugin);
  ck_assert_str_eq(file->reason, expected);
  ck_assert_ptr_nonnull(file_called(r, "dlcore-good.so")->plugin);
  ck_assert_ptr_nonnull(find_dataset(r, "good"));
  dlc_registry_close(r);
}

/* ---- spoilt by one macro ---- */

static const struct spoilt {
  const char *define, *reason;
} spoilt[] = {
    {"-DNO_ENTRY", "exports no dlcore_plugin: not a dlcore plugin"},
    {"-DUNDEFINED", "undefined symbol: missing_function"},
    {"-DRETURNS_NULL", "dlcore_plugin() returned NULL"},
    {"-DMAGIC=0x12345678", "wrong magic 0x12345678, expected 0x50434c44: not a dlcore plugin"},
    {"-DMAJOR=1", "built for ABI 1, this dlcore has ABI 2: rebuild it against this SDK"},
    {"-DSIZE=40", "its dlc_plugin has 40 bytes, at least 48 are needed"},
    {"-DPLUGIN=.id=NULL", "field `id` is NULL"},
    {"-DPLUGIN=.version=NULL", "field `version` is NULL"},
    {"-DPLUGIN=.get=NULL", "field `get` is NULL"},
    {"-DID=\"other\"", "its id is 'other', its file name says 'broken'"},
    {"-DSCORE=0", "its probe gave score 0 and no reason"},
    {"-DSCORE=-1", "its probe gave score -1 and no reason"},
    {"-DINIT=return DLC_DEVICE", "its init failed (-4): no reason was given"},
    {"-DINIT=return h->fail(h, DLC_DEVICE, \"driver %d is too old\", 470)",
     "its init failed (-4): driver 470 is too old"},
    {"-DNOTHING", "provides nothing that this dlcore knows"},
    {"-DENDLESS", "get() returns the same dataset for 0 and 1: past the last it must return NULL"},
    {"-DTWICE", "dataset 1: the name 'broken' is given twice"},
    {"-DDATASET=.size=8", "dataset 0: its struct has 8 bytes, at least 64 are needed"},
    {"-DDATASET=.name=NULL", "dataset 0: field `name` is NULL"},
    {"-DDATASET=.name=\"\"", "dataset 0: field `name` is empty"},
    {"-DDATASET=.open=NULL", "dataset 0: field `open` is NULL"},
    {"-DDATASET=.close=NULL", "dataset 0: field `close` is NULL"},
    {"-DDATASET=.info=NULL", "dataset 0: field `info` is NULL"},
    {"-DDATASET=.n_options=2", "dataset 0: field `options` is NULL, `n_options` is 2"},
    {"-DDATASET=.n_options=1,.options=&(dlc_option){8}",
     "dataset 0: option 0: its struct has 8 bytes, at least 40 are needed"},
    {"-DDATASET=.n_options=1,.options=&(dlc_option){sizeof(dlc_option),9,\"size\"}",
     "dataset 0: option 'size': unknown type 9"},
    {"-DDATASET=.n_options=1,.options=&(dlc_option){sizeof(dlc_option),DLC_OPTION_INT,\"size\"}",
     "dataset 0: option 'size': field `def` is NULL"},
    {"-DDATASET=.n_options=1,.options=&(dlc_option){sizeof(dlc_option),DLC_OPTION_INT,\"size\",\"many\"}",
     "dataset 0: broken: option size is 'many', expected a whole number"},
    {"-DBACKEND=.name=NULL", "backend 0: field `name` is NULL"},
    {"-DBACKEND=.name=\"b\",.kernel=NULL", "backend 0: field `kernel` is NULL"},
    {"-DLOGGER=.name=\"l\",.write=NULL", "logger 0: field `write` is NULL"},
    {"-DOP=.name=\"conv2d\"", "op 0: the name 'conv2d' is not VENDOR.NAME: names without a dot belong to dlcore"},
    {"-DOP=.name=\"a.b\",.infer=NULL", "op 0: field `infer` is NULL"},
    {"-DOP=.name=\"a.b\",.reference=NULL", "op 0: field `reference` is NULL"},
    {"-DOP=.name=\"a.b\",.kind=7", "op 0: 'a.b': unknown kind 7"},
    {"-DOP=.name=\"a.b\",.kind=DLC_OP_OPTIMIZER", "op 0: 'a.b': an optimizer must have the flag DLC_OP_UPDATE"},
    {"-DOP=.name=\"a.b\",.n_attrs=1", "op 0: field `attrs` is NULL, `n_attrs` is 1"},
    {"-DOP=.name=\"a.b\",.attr_size=16,.n_attrs=1,.attrs=&(dlc_attr){sizeof(dlc_attr),DLC_ATTR_PAIR,8,\"stride\"}",
     "op 0: attribute 'stride': 16 bytes at offset 8 do not fit the 16 bytes of `attr_size`"},
    {"-DTRANSFORM=.name=\"resize\"",
     "transform 0: the name 'resize' is not VENDOR.NAME: names without a dot belong to dlcore"},
    {"-DTRANSFORM=.name=\"a.b\",.apply=NULL", "transform 0: field `apply` is NULL"},
    {"-DTRANSFORM=.name=\"a.b\",.attr_size=8,.n_attrs=1,.attrs=&(dlc_attr){sizeof(dlc_attr),DLC_ATTR_CHOICE,0,\"m\"}",
     "transform 0: attribute 'm': field `choices` is NULL"},
    {"-DTRANSFORM=.name=\"a.b\",.attr_size=8,.n_attrs=1,.attrs=&(dlc_attr){sizeof(dlc_attr),DLC_ATTR_NUMBERS,0,\"m\"}",
     "transform 0: attribute 'm': 40 bytes at offset 0 do not fit the 8 bytes of `attr_size`"},
    {"-DOP=.name=\"a.b\",.attr_size=64,.n_attrs=1,.attrs=&(dlc_attr){sizeof(dlc_attr),DLC_ATTR_SHAPE,0,\"s\"}",
     "op 0: attribute 's': 72 bytes at offset 0 do not fit the 64 bytes of `attr_size`"},
};

START_TEST(a_spoilt_plugin_is_refused_with_its_reason)
{
  PLUGIN_FILE("dlcore-broken.so", spoilt[_i].define);
  check_refused(spoilt[_i].reason);
}
END_TEST

START_TEST(a_probe_that_refuses_gives_its_own_reason)
{
  PLUGIN_FILE("dlcore-broken.so", "-DSCORE=0", "-DWHY=\"needs AMX, which this processor lacks\"");
  check_refused("not on this machine: needs AMX, which this processor lacks");
}
END_TEST

/* ---- spoilt files ---- */

START_TEST(a_file_that_is_not_elf_is_refused)
{
  write_text(in_folder("dlcore-broken.so"),
             "#!/bin/sh\necho a script that someone renamed, long enough for a header\n");
  check_refused("invalid ELF header");
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
  write_text(in_folder("dlcore-broken.so"), "");
  check_refused("file too short");
}
END_TEST

/* Cut at a page border in its middle, where mapping it would kill the process. */
START_TEST(a_file_that_was_copied_in_part_is_refused)
{
  PLUGIN_FILE("dlcore-broken.so", "-DID=\"broken\"");
  ck_assert_int_eq(truncate(in_folder("dlcore-broken.so"), 8192), 0);
  check_refused("the file is cut off at 8192 bytes");
}
END_TEST

START_TEST(a_file_for_another_processor_is_refused)
{
  PLUGIN_FILE("dlcore-broken.so", "-DID=\"broken\"");
  int fd = open(in_folder("dlcore-broken.so"), O_WRONLY);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(pwrite(fd, "\1", 1, 4), 1); /* EI_CLASS: 32 bits */
  close(fd);
  check_refused("wrong ELF class: ELFCLASS32");
}
END_TEST

START_TEST(a_library_that_it_needs_and_that_is_missing_is_named)
{
  write_text(in_folder("gone.c"), "int missing_function(void) { return 0; }\n");
  run_program((char *[]){"cc", "-shared", "-fPIC", (char *)in_folder("gone.c"), "-Wl,-soname,libgone.so.3", "-o",
                         (char *)in_folder("libgone.so"), NULL});
  PLUGIN_FILE("dlcore-broken.so", "-DUNDEFINED", "-Wl,--no-as-needed", in_folder("libgone.so"));
  check_refused("libgone.so.3: cannot open shared object file: No such file or directory");
}
END_TEST

START_TEST(a_folder_called_like_a_plugin_is_refused)
{
  ck_assert_int_eq(mkdir(in_folder("dlcore-broken.so"), 0777), 0);
  check_refused("a folder, not a file");
}
END_TEST

START_TEST(a_pipe_called_like_a_plugin_is_refused)
{
  ck_assert_int_eq(mkfifo(in_folder("dlcore-broken.so"), 0666), 0);
  check_refused("a device, pipe or socket, not a file");
}
END_TEST

START_TEST(a_dangling_link_is_refused_with_its_target)
{
  ck_assert_int_eq(symlink("/nowhere/plugin.so", in_folder("dlcore-broken.so")), 0);
  check_refused("a link to /nowhere/plugin.so, which does not exist");
}
END_TEST

START_TEST(a_link_to_itself_is_refused)
{
  ck_assert_int_eq(symlink("dlcore-broken.so", in_folder("dlcore-broken.so")), 0);
  check_refused("Too many levels of symbolic links");
}
END_TEST

START_TEST(an_unreadable_file_is_refused)
{
  if (geteuid() == 0) return; /* root reads everything */
  write_text(in_folder("dlcore-broken.so"), "");
  ck_assert_int_eq(chmod(in_folder("dlcore-broken.so"), 0), 0);
  check_refused("cannot be read: Permission denied");
}
END_TEST

START_TEST(a_dataset_that_fails_at_open_leaves_its_reason)
{
  PLUGIN_FILE("dlcore-broken.so", "-DID=\"broken\"");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  const dlc_host *host = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "broken", &object, &host), DLC_OK);
  const dlc_dataset *dataset = object;
  dlc_data *data = NULL;
  dlc_source where = {.size = sizeof where, .origin = "/some/where"};
  ck_assert_int_eq(dataset->open(dataset, host, &where, NULL, &data), DLC_IO);
  ck_assert_str_eq(dlc_reason(), "/some/where: nothing is there");
  dlc_registry_close(r);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("broken plugins");
  tcase_add_unchecked_fixture(t, compile_good, remove_good);
  tcase_add_checked_fixture(t, setup, remove_folder);
  tcase_add_loop_test(t, a_spoilt_plugin_is_refused_with_its_reason, 0, (int)(sizeof spoilt / sizeof spoilt[0]));
  tcase_add_test(t, a_probe_that_refuses_gives_its_own_reason);
  tcase_add_test(t, a_file_that_is_not_elf_is_refused);
  tcase_add_test(t, an_empty_file_is_refused);
  tcase_add_test(t, a_file_that_was_copied_in_part_is_refused);
  tcase_add_test(t, a_file_for_another_processor_is_refused);
  tcase_add_test(t, a_library_that_it_needs_and_that_is_missing_is_named);
  tcase_add_test(t, a_folder_called_like_a_plugin_is_refused);
  tcase_add_test(t, a_pipe_called_like_a_plugin_is_refused);
  tcase_add_test(t, a_dangling_link_is_refused_with_its_target);
  tcase_add_test(t, a_link_to_itself_is_refused);
  tcase_add_test(t, an_unreadable_file_is_refused);
  tcase_add_test(t, a_dataset_that_fails_at_open_leaves_its_reason);
  return run_suite("broken plugins", t);
}
