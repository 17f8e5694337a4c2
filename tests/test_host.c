/* Where plugins are looked for, which file wins, when it is opened, and what it may ask of the host. */
#include "base/random.h"
#include "plugin_fixture.h"

static void check_count(dlc_registry *r, const char *iface, uint32_t expected)
{
  uint32_t n = 0;
  while (dlc_registry_object(r, iface, n, NULL)) n++;
  ck_assert_uint_eq(n, expected);
}

/* What the plugin that was compiled with -DTRACE left: one letter for each event. */
static const char *trace(void)
{
  static char text[64];
  text[0] = '\0';
  FILE *f = fopen(in_folder("trace"), "r");
  if (f) {
    if (!fgets(text, sizeof text, f)) text[0] = '\0';
    fclose(f);
  }
  return text;
}

static const char *define_trace(void)
{
  static char define[PATH_MAX + 32];
  snprintf(define, sizeof define, "-DTRACE=\"%s\"", in_folder("trace"));
  return define;
}

/* ---- where ---- */

START_TEST(folders_are_searched_in_the_documented_order)
{
  static const char *const names[] = {"option1", "option2", "variable", ".local/lib/dlcore", "lib/dlcore"};
  for (int i = 0; i < 5; i++) run_program((char *[]){"mkdir", "-p", (char *)in_folder(names[i]), NULL});
  run_program((char *[]){"mkdir", "-p", (char *)in_folder("bin"), NULL});
  write_text(in_folder("bin/dlcore"), "");
  setenv("DLCORE_PLUGIN_PATH", in_folder("variable"), 1);
  char path[2 * PATH_MAX];
  snprintf(path, sizeof path, "%s:%s", in_folder("option1"), in_folder("option2"));
  dlc_registry *r = open_registry(path);
  for (uint32_t i = 0; i < 5; i++) ck_assert_str_eq(dlc_registry_folder(r, i), in_folder(names[i]));
  ck_assert_ptr_nonnull(strstr(dlc_registry_folder(r, 5), "/dlcore")); /* the built-in one */
  ck_assert_ptr_null(dlc_registry_folder(r, 6));
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_folder_is_searched_once_whatever_it_is_called)
{
  write_text(in_folder("dlcore-a.so"), "");
  ck_assert_int_eq(symlink(folder, in_folder("link")), 0);
  char path[4 * PATH_MAX];
  snprintf(path, sizeof path, "%s:%s/:%s:", folder, folder, in_folder("link"));
  setenv("DLCORE_PLUGIN_PATH", folder, 1);
  dlc_registry *r = open_registry(path);
  ck_assert_ptr_nonnull(dlc_registry_file(r, 0));
  ck_assert_ptr_null(dlc_registry_file(r, 1));
  dlc_registry_close(r);
}
END_TEST

START_TEST(files_are_those_called_like_plugins_sorted_by_name)
{
  static const char *const files[] = {"dlcore-b.so", "dlcore-a.so", "dlcore-.so", "libdlcore-c.so", "dlcore-d.so.1"};
  for (int i = 0; i < 5; i++) write_text(in_folder(files[i]), "");
  dlc_registry *r = open_registry(NULL);
  ck_assert_str_eq(dlc_registry_file(r, 0)->path, in_folder("dlcore-a.so"));
  ck_assert_str_eq(dlc_registry_file(r, 1)->path, in_folder("dlcore-b.so"));
  ck_assert_ptr_null(dlc_registry_file(r, 2));
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_folder_that_the_user_named_and_that_is_not_there_is_reported)
{
  dlc_registry *r = open_registry("/nowhere/plugins");
  ck_assert_str_eq(said, "plugin folder /nowhere/plugins: No such file or directory\n");
  dlc_registry_close(r);
}
END_TEST

/* ---- when ---- */

START_TEST(a_file_is_opened_only_when_it_may_be_needed)
{
  PLUGIN_FILE("dlcore-wanted.so", "-DID=\"wanted\"");
  PLUGIN_FILE("dlcore-other.so", "-DID=\"other\"", define_trace());
  dlc_registry *r = open_registry(NULL);
  ck_assert_ptr_nonnull(find_dataset(r, "wanted"));
  ck_assert_str_eq(trace(), "");
  dlc_registry_load_all(r);
  ck_assert_str_eq(trace(), "o");
  dlc_registry_close(r);
}
END_TEST

START_TEST(init_is_called_once_and_at_the_first_use)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", define_trace(), "-DINIT=trace(); return DLC_OK");
  dlc_registry *r = open_registry(NULL);
  dlc_registry_load_all(r);
  ck_assert_str_eq(trace(), "o");
  ck_assert_ptr_nonnull(find_dataset(r, "a"));
  ck_assert_str_eq(trace(), "oo");
  ck_assert_ptr_nonnull(find_dataset(r, "a"));
  ck_assert_ptr_nonnull(dlc_registry_object(r, DLC_IFACE_DATASET, 0, NULL));
  ck_assert_str_eq(trace(), "oo");
  dlc_registry_close(r);
}
END_TEST

START_TEST(an_object_whose_plugin_fails_to_start_is_not_listed)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DINIT=return DLC_DEVICE");
  PLUGIN_FILE("dlcore-b.so", "-DID=\"b\"");
  dlc_registry *r = open_registry(NULL);
  dlc_registry_load_all(r);
  check_count(r, DLC_IFACE_DATASET, 1);
  const dlc_dataset *only = dlc_registry_object(r, DLC_IFACE_DATASET, 0, NULL);
  ck_assert_str_eq(only->name, "b");
  dlc_registry_close(r);
}
END_TEST

/* ---- which ---- */

START_TEST(a_name_is_found_in_a_file_called_otherwise)
{
  PLUGIN_FILE("dlcore-idx.so", "-DID=\"idx\"", "-DNAME=\"fashion-mnist\"");
  dlc_registry *r = open_registry(NULL);
  ck_assert_ptr_nonnull(find_dataset(r, "fashion-mnist"));
  ck_assert_ptr_nonnull(find_dataset(r, "fashion_mnist"));
  dlc_registry_close(r);
}
END_TEST

START_TEST(an_op_is_looked_for_in_its_vendors_file)
{
  PLUGIN_FILE("dlcore-aaa.so", "-DID=\"aaa\"", define_trace());
  PLUGIN_FILE("dlcore-acme.so", "-DID=\"acme\"", "-DOP=.name=\"acme.softplus\"");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_OP, "acme.softplus", &object, NULL), DLC_OK);
  ck_assert_str_eq(((const dlc_op *)object)->name, "acme.softplus");
  ck_assert_str_eq(trace(), "");
  dlc_registry_close(r);
}
END_TEST

START_TEST(of_two_files_with_one_id_the_higher_score_wins)
{
  mkdir(in_folder("first"), 0777);
  mkdir(in_folder("second"), 0777);
  PLUGIN_FILE("first/dlcore-x.so", "-DID=\"x\"", "-DSCORE=10");
  PLUGIN_FILE("second/dlcore-x.so", "-DID=\"x\"", "-DSCORE=20");
  char path[2 * PATH_MAX], expected[2 * PATH_MAX];
  snprintf(path, sizeof path, "%s:%s", in_folder("first"), in_folder("second"));
  dlc_registry *r = open_registry(path);
  ck_assert_ptr_nonnull(find_dataset(r, "x"));
  snprintf(expected, sizeof expected, "%s has the same id and score 20, this one 10", in_folder("second/dlcore-x.so"));
  ck_assert_str_eq(dlc_registry_file(r, 0)->reason, expected);
  ck_assert_ptr_null(dlc_registry_file(r, 0)->plugin);
  ck_assert_ptr_nonnull(dlc_registry_file(r, 1)->plugin);
  ck_assert_int_eq(dlc_registry_file(r, 1)->score, 20);
  ck_assert_ptr_nonnull(strstr(said, expected));
  dlc_registry_close(r);
}
END_TEST

START_TEST(of_two_files_with_one_id_and_score_the_first_folder_wins)
{
  mkdir(in_folder("first"), 0777);
  mkdir(in_folder("second"), 0777);
  PLUGIN_FILE("first/dlcore-x.so", "-DID=\"x\"");
  PLUGIN_FILE("second/dlcore-x.so", "-DID=\"x\"");
  char path[2 * PATH_MAX], expected[2 * PATH_MAX];
  snprintf(path, sizeof path, "%s:%s", in_folder("first"), in_folder("second"));
  dlc_registry *r = open_registry(path);
  dlc_registry_load_all(r);
  ck_assert_ptr_nonnull(dlc_registry_file(r, 0)->plugin);
  snprintf(expected, sizeof expected, "%s has the same id and score 1, and comes first",
           in_folder("first/dlcore-x.so"));
  ck_assert_str_eq(dlc_registry_file(r, 1)->reason, expected);
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_broken_file_leaves_its_id_to_the_next_folder)
{
  mkdir(in_folder("first"), 0777);
  mkdir(in_folder("second"), 0777);
  write_text(in_folder("first/dlcore-x.so"), "");
  PLUGIN_FILE("second/dlcore-x.so", "-DID=\"x\"");
  char path[2 * PATH_MAX];
  snprintf(path, sizeof path, "%s:%s", in_folder("first"), in_folder("second"));
  dlc_registry *r = open_registry(path);
  ck_assert_ptr_nonnull(find_dataset(r, "x"));
  dlc_registry_close(r);
}
END_TEST

START_TEST(of_two_plugins_that_provide_one_name_the_first_is_used_and_the_user_is_told)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DNAME=\"mnist\"", "-DDATASET=.help=\"from a\"");
  PLUGIN_FILE("dlcore-b.so", "-DID=\"b\"", "-DNAME=\"mnist\"", "-DDATASET=.help=\"from b\"");
  dlc_registry *r = open_registry(NULL);
  dlc_registry_load_all(r);
  ck_assert_str_eq(find_dataset(r, "mnist")->help, "from a");
  check_count(r, DLC_IFACE_DATASET, 1);
  char expected[2 * PATH_MAX];
  snprintf(expected, sizeof expected, "dataset 'mnist' of %s is used, not that of %s\n", in_folder("dlcore-a.so"),
           in_folder("dlcore-b.so"));
  ck_assert_str_eq(said, expected);
  dlc_registry_close(r);
}
END_TEST

START_TEST(the_answer_does_not_depend_on_what_was_opened_before)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DNAME=\"mnist\"", "-DDATASET=.help=\"from a\"");
  PLUGIN_FILE("dlcore-mnist.so", "-DID=\"mnist\"", "-DDATASET=.help=\"from mnist\"");
  dlc_registry *cold = open_registry(NULL), *warm = open_registry(NULL);
  dlc_registry_load_all(warm);
  ck_assert_str_eq(find_dataset(cold, "mnist")->help, "from mnist");
  ck_assert_str_eq(find_dataset(warm, "mnist")->help, "from mnist");
  dlc_registry_close(cold);
  dlc_registry_close(warm);
}
END_TEST

START_TEST(the_best_backend_is_the_one_with_the_highest_score)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DBACKEND=.name=\"a\"", "-DSCORE=10");
  PLUGIN_FILE("dlcore-b.so", "-DID=\"b\"", "-DBACKEND=.name=\"b\"", "-DSCORE=20");
  PLUGIN_FILE("dlcore-c.so", "-DID=\"c\"", "-DBACKEND=.name=\"c\"", "-DSCORE=20");
  PLUGIN_FILE("dlcore-d.so", "-DID=\"d\"", "-DBACKEND=.name=\"d\"", "-DSCORE=90", "-DINIT=return DLC_DEVICE");
  dlc_registry *r = open_registry(NULL);
  const dlc_host *host = NULL;
  const dlc_backend *b = dlc_registry_best_backend(r, NULL, &host);
  ck_assert_str_eq(b->name, "b");
  ck_assert_ptr_nonnull(host);
  ck_assert_str_eq((b = dlc_registry_best_backend(r, b, NULL))->name, "c");
  ck_assert_str_eq((b = dlc_registry_best_backend(r, b, NULL))->name, "a");
  ck_assert_ptr_null(dlc_registry_best_backend(r, b, NULL));
  dlc_registry_close(r);
}
END_TEST

START_TEST(without_a_backend_there_is_no_best_one)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"");
  dlc_registry *r = open_registry(NULL);
  ck_assert_ptr_null(dlc_registry_best_backend(r, NULL, NULL));
  dlc_registry_close(r);
}
END_TEST

/* ---- not found ---- */

START_TEST(an_unknown_name_is_answered_with_the_nearest_one)
{
  PLUGIN_FILE("dlcore-idx.so", "-DID=\"idx\"", "-DNAME=\"mnist\"");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "mnsit", &object, NULL), DLC_NOT_FOUND);
  ck_assert_str_eq(dlc_reason(), "no dataset is called 'mnsit'; did you mean 'mnist'?");
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_name_that_is_near_to_none_is_answered_with_all)
{
  PLUGIN_FILE("dlcore-idx.so", "-DID=\"idx\"", "-DNAME=\"mnist\"");
  PLUGIN_FILE("dlcore-shapes.so", "-DID=\"shapes\"");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "imagenet", &object, NULL), DLC_NOT_FOUND);
  ck_assert_str_eq(dlc_reason(), "no dataset is called 'imagenet'; there is mnist, shapes");
  dlc_registry_close(r);
}
END_TEST

/* The name may be one that the broken file provides, so both are said. */
START_TEST(a_nearest_name_does_not_hide_the_broken_files)
{
  write_text(in_folder("dlcore-idx.so"), "");
  PLUGIN_FILE("dlcore-mnist.so", "-DID=\"mnist\"");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "kmnist", &object, NULL), DLC_NOT_FOUND);
  char expected[2 * PATH_MAX];
  snprintf(expected, sizeof expected,
           "no dataset is called 'kmnist'; did you mean 'mnist'? Not taken: %s: file too short",
           in_folder("dlcore-idx.so"));
  ck_assert_str_eq(dlc_reason(), expected);
  dlc_registry_close(r);
}
END_TEST

START_TEST(an_unknown_name_lists_the_broken_files_that_might_have_provided_it)
{
  write_text(in_folder("dlcore-idx.so"), "");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_DATASET, "mnist", &object, NULL), DLC_NOT_FOUND);
  char expected[2 * PATH_MAX];
  snprintf(expected, sizeof expected, "no dataset is called 'mnist'; not taken: %s: file too short",
           in_folder("dlcore-idx.so"));
  ck_assert_str_eq(dlc_reason(), expected);
  dlc_registry_close(r);
}
END_TEST

START_TEST(without_any_plugin_the_folders_are_named)
{
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_BACKEND, "cpu", &object, NULL), DLC_NOT_FOUND);
  char expected[2 * PATH_MAX];
  snprintf(expected, sizeof expected, "no backend is called 'cpu'; no plugin was found in %s, ", folder);
  ck_assert_mem_eq(dlc_reason(), expected, strlen(expected));
  dlc_registry_close(r);
}
END_TEST

/* ---- old and new ---- */

/* As built by an SDK that did not have the optional fields yet. What lies behind the struct must not be read. */
START_TEST(a_plugin_with_older_structs_loads)
{
  PLUGIN_FILE("dlcore-old.so", "-DID=\"old\"", "-DSIZE=offsetof(dlc_plugin,probe)",
              "-DPLUGIN=.probe=(int(*)(const dlc_host*,char*,size_t))8,.init=(dlc_status(*)(const dlc_host*))8",
              "-DDATASET=.size=offsetof(dlc_dataset,read)",
              "-DBACKEND=.name=\"old\",.size=offsetof(dlc_backend,describe)",
              "-DOP=.name=\"old.view\",.flags=DLC_OP_VIEW,.size=offsetof(dlc_op,param),.reference=NULL");
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_ptr_nonnull(find_dataset(r, "old"));
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_BACKEND, "old", &object, NULL), DLC_OK);
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_OP, "old.view", &object, NULL), DLC_OK);
  ck_assert_int_eq(file_called(r, "dlcore-old.so")->score, 1);
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_plugin_with_newer_structs_loads)
{
  PLUGIN_FILE("dlcore-new.so", "-DID=\"new\"", "-DSIZE=sizeof(dlc_plugin)+64", "-DDATASET=.size=sizeof(dlc_dataset)+64",
              "-DBACKEND=.name=\"new\",.size=sizeof(dlc_backend)+64");
  dlc_registry *r = open_registry(NULL);
  ck_assert_ptr_nonnull(find_dataset(r, "new"));
  dlc_registry_close(r);
}
END_TEST

START_TEST(every_optional_field_may_be_null)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DPLUGIN=.license=NULL,.probe=NULL,.init=NULL",
              "-DDATASET=.help=NULL,.options=NULL,.read=NULL", "-DBACKEND=.name=\"a\",.describe=NULL",
              "-DLOGGER=.name=\"a\"", "-DOP=.name=\"a.op\",.param=NULL,.grad=NULL");
  dlc_registry *r = open_registry(NULL);
  dlc_registry_load_all(r);
  ck_assert_ptr_null(file_called(r, "dlcore-a.so")->reason);
  check_count(r, DLC_IFACE_DATASET, 1);
  check_count(r, DLC_IFACE_BACKEND, 1);
  check_count(r, DLC_IFACE_LOGGER, 1);
  check_count(r, DLC_IFACE_OP, 1);
  dlc_registry_close(r);
}
END_TEST

/* ---- dlcore's own objects, services ---- */

static dlc_status infer_nothing(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr, (void)n_in, (void)in, (void)n_out, (void)out;
  return DLC_OK;
}

START_TEST(dlcores_own_objects_come_first_and_open_no_file)
{
  static const dlc_op own = {.size = sizeof own, .name = "relu", .flags = DLC_OP_VIEW, .infer = infer_nothing};
  PLUGIN_FILE("dlcore-relu.so", "-DID=\"relu\"", define_trace());
  dlc_registry *r = open_registry(NULL);
  ck_assert_int_eq(dlc_registry_add(r, DLC_IFACE_OP, &own), DLC_OK);
  const void *object = NULL;
  const dlc_host *host = NULL;
  ck_assert_int_eq(dlc_registry_find(r, DLC_IFACE_OP, "relu", &object, &host), DLC_OK);
  ck_assert_ptr_eq(object, &own);
  ck_assert_ptr_eq(host, dlc_registry_host(r));
  ck_assert_ptr_eq(dlc_registry_object(r, DLC_IFACE_OP, 0, NULL), &own);
  ck_assert_str_eq(trace(), "");
  dlc_registry_close(r);
}
END_TEST

START_TEST(an_interface_that_nobody_knows_has_no_objects)
{
  dlc_registry *r = open_registry(NULL);
  const void *object = NULL;
  ck_assert_int_eq(dlc_registry_find(r, "dlcore.teapot/1", "x", &object, NULL), DLC_NOT_FOUND);
  ck_assert_str_eq(dlc_reason(), "no interface is called 'dlcore.teapot/1'");
  ck_assert_ptr_null(dlc_registry_object(r, "dlcore.teapot/1", 0, NULL));
  dlc_registry_close(r);
}
END_TEST

START_TEST(a_plugin_gets_threads_and_random_numbers_by_name)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(3, &pool), DLC_OK);
  dlc_registry_config config = {.plugin_path = folder, .pool = pool, .sink = &ear};
  dlc_registry *r = NULL;
  ck_assert_int_eq(dlc_registry_open(&config, &r), DLC_OK);
  const dlc_host *h = dlc_registry_host(r);
  const dlc_threads *threads = h->service(h, DLC_SERVICE_THREADS);
  ck_assert_uint_eq(threads->count, 3);
  ck_assert_ptr_eq(h->service(h, DLC_SERVICE_RANDOM), dlc_random_service());
  ck_assert_ptr_null(h->service(h, "dlcore.teapot/1"));
  dlc_registry_close(r);
  dlc_pool_close(pool);
}
END_TEST

START_TEST(a_plugins_lines_carry_its_id)
{
  PLUGIN_FILE("dlcore-a.so", "-DID=\"a\"", "-DINIT=h->log(h, DLC_LOG_INFO, \"ready\"); return DLC_OK");
  dlc_registry *r = open_registry(NULL);
  ck_assert_ptr_nonnull(find_dataset(r, "a"));
  ck_assert_str_eq(said, "a: ready\n");
  dlc_registry_close(r);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("host");
  tcase_add_checked_fixture(t, make_plugin_folder, remove_folder);
  tcase_add_test(t, folders_are_searched_in_the_documented_order);
  tcase_add_test(t, a_folder_is_searched_once_whatever_it_is_called);
  tcase_add_test(t, files_are_those_called_like_plugins_sorted_by_name);
  tcase_add_test(t, a_folder_that_the_user_named_and_that_is_not_there_is_reported);
  tcase_add_test(t, a_file_is_opened_only_when_it_may_be_needed);
  tcase_add_test(t, init_is_called_once_and_at_the_first_use);
  tcase_add_test(t, an_object_whose_plugin_fails_to_start_is_not_listed);
  tcase_add_test(t, a_name_is_found_in_a_file_called_otherwise);
  tcase_add_test(t, an_op_is_looked_for_in_its_vendors_file);
  tcase_add_test(t, of_two_files_with_one_id_the_higher_score_wins);
  tcase_add_test(t, of_two_files_with_one_id_and_score_the_first_folder_wins);
  tcase_add_test(t, a_broken_file_leaves_its_id_to_the_next_folder);
  tcase_add_test(t, of_two_plugins_that_provide_one_name_the_first_is_used_and_the_user_is_told);
  tcase_add_test(t, the_answer_does_not_depend_on_what_was_opened_before);
  tcase_add_test(t, the_best_backend_is_the_one_with_the_highest_score);
  tcase_add_test(t, without_a_backend_there_is_no_best_one);
  tcase_add_test(t, an_unknown_name_is_answered_with_the_nearest_one);
  tcase_add_test(t, a_name_that_is_near_to_none_is_answered_with_all);
  tcase_add_test(t, a_nearest_name_does_not_hide_the_broken_files);
  tcase_add_test(t, an_unknown_name_lists_the_broken_files_that_might_have_provided_it);
  tcase_add_test(t, without_any_plugin_the_folders_are_named);
  tcase_add_test(t, a_plugin_with_older_structs_loads);
  tcase_add_test(t, a_plugin_with_newer_structs_loads);
  tcase_add_test(t, every_optional_field_may_be_null);
  tcase_add_test(t, dlcores_own_objects_come_first_and_open_no_file);
  tcase_add_test(t, an_interface_that_nobody_knows_has_no_objects);
  tcase_add_test(t, a_plugin_gets_threads_and_random_numbers_by_name);
  tcase_add_test(t, a_plugins_lines_carry_its_id);
  return run_suite("host", t);
}
