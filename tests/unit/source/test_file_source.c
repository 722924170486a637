/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What happens to files, and what becomes of their objects. */
#include "file_stage.h"

/* ------------------------------------------------------------------------ files */

static void a_folder_is_read_at_the_start(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yml", NODE("n2", "2"));
	save(stage, "c.json",
	     "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n3\"}}");
	save(stage, ".d.yaml", NODE("n4", "hidden"));
	save(stage, "notes.txt", "no manifest");
	save(stage, "yaml", "no manifest");
	make_folder(stage, "e.yaml");
	save(stage, "e.yaml/f.yaml", NODE("n4", "deeper"));
	start(stage);
	expect(stage, "n1=1 n2=2 n3=", "");
	assert_true(status_of(stage).readable);
	assert_int_equal(status_of(stage).last_heard_ns, stage->now_ns);
	assert_int_equal(status_of(stage).broken_files, 0);
	assert_string_equal(status_of(stage).error, "");
}

static void a_saved_file_takes_effect(void **state)
{
	struct stage *stage = *state;

	start(stage);
	expect(stage, "", "");
	save(stage, "a.yaml", NODE("n1", "1"));
	dispatch(stage);
	expect(stage, "n1=1", "");
	save(stage, "a.yaml", NODE("n1", "2") "---\n" NODE("n2", "2"));
	dispatch(stage);
	expect(stage, "n1=2 n2=2", "");
	save(stage, "a.yaml", NODE("n2", "3"));
	dispatch(stage);
	expect(stage, "n2=3", "");
}

static void a_file_is_read_when_its_writer_closes_it(void **state)
{
	struct stage *stage = *state;
	char path[PATH_ROOM];
	FILE *file;

	save(stage, "a.yaml", NODE("n1", "1") "---\n" NODE("n2", "1"));
	start(stage);
	file = fopen(path_of(stage, "a.yaml", path), "w"); /* empty now */
	dispatch(stage);
	tick(stage);
	expect(stage, "n1=1 n2=1", "");
	fputs(NODE("n1", "2"), file);
	fflush(file);
	dispatch(stage);
	tick(stage);
	expect(stage, "n1=1 n2=1", "");
	fputs("---\n" NODE("n2", "2"), file);
	fclose(file);
	dispatch(stage);
	expect(stage, "n1=2 n2=2", "");
}

static void a_broken_file_keeps_its_last_good_state(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yaml", NODE("n2", "1"));
	start(stage);
	save(stage, "a.yaml", NODE("n3", "2") "---\n" BROKEN);
	save(stage, "b.yaml", NODE("n2", "2"));
	dispatch(stage);
	expect(stage, "n1=1 n2=2",
	       "a.yaml:7:11: error: metadata.name: missing; every Node needs a name\n");
	assert_int_equal(status_of(stage).broken_files, 1);
	assert_non_null(strstr(status_of(stage).error, "a.yaml:7:11: error: metadata.name"));
	assert_true(status_of(stage).readable);

	tick(stage); /* nothing is said twice */
	save(stage, "a.yaml", NODE("n3", "3") "---\n" BROKEN);
	dispatch(stage);
	expect(stage, "n1=1 n2=2", "");
	save(stage, "a.yaml", BROKEN);
	dispatch(stage);
	expect(stage, "n1=1 n2=2", NO_NAME);

	save(stage, "a.yaml", NODE("n3", "4"));
	dispatch(stage);
	expect(stage, "n2=2 n3=4", "a.yaml is whole\n");
	assert_int_equal(status_of(stage).broken_files, 0);
	assert_string_equal(status_of(stage).error, "");

	save(stage, "a.yaml", BROKEN); /* what was repaired in between is new again */
	dispatch(stage);
	expect(stage, "n2=2 n3=4", NO_NAME);
}

static void a_broken_file_that_is_deleted_takes_its_objects_and_error_along(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	start(stage);
	save(stage, "a.yaml", BROKEN);
	dispatch(stage);
	expect(stage, "n1=1", NO_NAME);
	discard(stage, "a.yaml");
	dispatch(stage);
	tick(stage);
	expect(stage, "", "");
	assert_string_equal(status_of(stage).error, "");
	assert_int_equal(status_of(stage).files, 0);
}

static bool add_line(void *self, const char *finding)
{
	mrd_strbuf_addf(self, "%s\n", finding);
	return true;
}

static void an_error_is_one_line(void **state)
{
	struct stage *stage = *state;
	MRD_AUTO_STRBUF struct mrd_strbuf all = {0};
	size_t lines = 0;

	save(stage, "a.yaml",
	     "apiVersion: v1\nkind: Service\nmetadata: {name: \"a\\nb\"}\nspec: {clusterIP: "
	     "\"x\\ny\"}\n");
	save(stage, "b.yaml", "\"\n{");
	start(stage);
	assert_int_equal(status_of(stage).broken_files, 2);
	assert_true(status_of(stage).error[0]);
	assert_null(strchr(status_of(stage).error, '\n'));
	mrd_file_source_each_broken(stage->source, add_line, &all);
	print_message("%s", all.text);
	for (const char *at = all.text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 2);
	assert_non_null(strstr(all.text, "a.yaml:"));
	assert_non_null(strstr(all.text, "b.yaml:"));
}

static void an_emptied_file_takes_nothing_away(void **state)
{
	static const char want[] =
		"a.yaml:1:1: error: is empty; delete the file to take its objects away\n";
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "new.yaml", "");
	start(stage);
	expect(stage, "n1=1", "");
	save(stage, "a.yaml", "");
	dispatch(stage);
	expect(stage, "n1=1", want);
	save(stage, "a.yaml", "# nothing here\n---\n");
	dispatch(stage);
	expect(stage, "n1=1", "");
	save(stage, "a.yaml", "apiVersion: v1\nkind: List\nitems: []\n"); /* says: nothing */
	dispatch(stage);
	expect(stage, "", "a.yaml is whole\n");
}

/* Cut off within the kind's name, of a file that has held objects; another is none of ours. */
static void a_file_that_ends_at_its_kind_takes_nothing_away(void **state)
{
	static const char want[] = "a.yaml:4:1: error: metadata: missing; delete the file to take "
				   "its objects away\n";
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "kubeconfig.yaml", "apiVersion: v1\nkind: Config\n");
	start(stage);
	expect(stage, "n1=1", "");
	save(stage, "a.yaml", "# two\n# of\n# them\napiVersion: v1\nkind: No\n");
	dispatch(stage);
	expect(stage, "n1=1", want);
	save(stage, "a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
	dispatch(stage);
	expect(stage, "", "a.yaml is whole\n");
}

static void cut_json_changes_nothing(void **state)
{
	static const char whole[] = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
				    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				    "\"name\":\"n1\",\"labels\":{\"v\":\"2\"}}},"
				    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				    "\"name\":\"n2\",\"labels\":{\"v\":\"2\"}}}]}";
	struct stage *stage = *state;

	save(stage, "a.json", NODE("n1", "1") "---\n" NODE("n3", "1"));
	start(stage);
	for (size_t cut = 0; cut < sizeof(whole) - 1; cut++) {
		char *part = strndup(whole, cut);

		save(stage, "a.json", part);
		free(part);
		dispatch(stage);
		mrd_strbuf_free(&stage->news);
		printf("cut at %zu: ", cut);
		expect(stage, "n1=1 n3=1", "");
	}
	save(stage, "a.json", whole);
	dispatch(stage);
	expect(stage, "n1=2 n2=2", "a.json is whole\n");
}

static void a_file_that_cannot_be_opened_is_tried_again(void **state)
{
	struct stage *stage = *state;

	save(stage, "/real", NODE("n1", "1"));
	make_link(stage, "../real", "a.yaml");
	start(stage);
	discard(stage, "/real");
	make_link(stage, "real", "/real"); /* to itself: nobody can open that, not even root */
	discard(stage, "a.yaml");
	make_link(stage, "../real", "a.yaml");
	dispatch(stage);
	expect(stage, "n1=1", "a.yaml: error: cannot be read: Too many levels of symbolic links\n");
	tick(stage);
	tick(stage);
	expect(stage, "n1=1", "");
	discard(stage, "/real"); /* repaired outside of the folder, so no event tells */
	save(stage, "/real", NODE("n1", "2"));
	tick(stage);
	expect(stage, "n1=2", "a.yaml is whole\n");
}

static void a_pipe_is_no_manifest(void **state)
{
	struct stage *stage = *state;
	char path[PATH_ROOM];

	assert_int_equal(mkfifo(path_of(stage, "a.yaml", path), 0600), 0);
	start(stage); /* would wait for ever if it opened it */
	tick(stage);
	expect(stage, "", "");
}

/* ------------------------------------------------------------------------ vanishing, moving */

static void a_deleted_file_takes_its_objects_away_after_a_moment(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yaml", NODE("n2", "1"));
	start(stage);
	discard(stage, "a.yaml");
	dispatch(stage);
	expect(stage, "n1=1 n2=1", "");
	tick(stage);
	expect(stage, "n2=1", "");
	assert_int_equal(status_of(stage).files, 1);
	save(stage, "a.yaml", NODE("n1", "2"));
	dispatch(stage);
	expect(stage, "n1=2 n2=1", "");
}

static void an_editor_that_saves_by_renaming_loses_nothing(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	start(stage);
	move(stage, "a.yaml", "a.yaml~");
	dispatch(stage);
	expect(stage, "n1=1", "");
	save(stage, "a.yaml", NODE("n1", "2"));
	discard(stage, "a.yaml~");
	dispatch(stage);
	expect(stage, "n1=2", "");
	save(stage, ".a.yaml.swp", NODE("n1", "3"));
	move(stage, ".a.yaml.swp", "a.yaml");
	dispatch(stage);
	expect(stage, "n1=3", "");
	tick(stage);
	expect(stage, "n1=3", "");
}

static void a_renamed_file_keeps_its_objects(void **state)
{
	static const char *const names[][2] = {{"a.yaml", "z.yaml"}, {"z.yaml", "a.yaml"}};
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	start(stage);
	for (size_t i = 0; i < 2; i++) {
		move(stage, names[i][0], names[i][1]);
		dispatch(stage);
		expect(stage, "n1=1", "");
		tick(stage);
		expect(stage, "n1=1", "");
		assert_int_equal(mrd_model_count(stage->model, 0, MRD_KIND_NODE), 1);
	}
	/* Renamed and changed before it is looked at: the new name counts, though it is first. */
	move(stage, "a.yaml", "b.yaml");
	tick(stage);
	move(stage, "b.yaml", "a.yaml");
	save(stage, "a.yaml", NODE("n1", "2"));
	dispatch(stage);
	expect(stage, "n1=2", "");
}

static void an_object_that_moves_between_files_is_never_lost(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1") "---\n" NODE("n2", "1"));
	save(stage, "b.yaml", NODE("n3", "1"));
	start(stage);
	while (mrd_model_next_dirty(stage->model))
		;
	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yaml", NODE("n2", "1") "---\n" NODE("n3", "1"));
	dispatch(stage);
	expect(stage, "n1=1 n2=1 n3=1", "");
}

static void two_files_with_one_object(void **state)
{
	static const char a_loses[] = "a.yaml:1:1: warning: Node n1 stands in b.yaml:1:1 too, "
				      "which wins (the last file by name)\n";
	struct stage *stage = *state;

	save(stage, "b.yaml", NODE("n1", "b"));
	save(stage, "a.yaml", NODE("n1", "a"));
	start(stage);
	expect(stage, "n1=b", a_loses);
	save(stage, "a.yaml", NODE("n1", "a2"));
	dispatch(stage);
	tick(stage);
	expect(stage, "n1=b", "");
	discard(stage, "b.yaml");
	dispatch(stage);
	tick(stage);
	expect(stage, "n1=a2", "");

	/* The other way round: the winner comes later, and the loser's version is kept. */
	save(stage, "b.yaml", NODE("n1", "b2"));
	dispatch(stage);
	expect(stage, "n1=b2", a_loses);
	save(stage, "b.yaml", NODE("n2", "b3"));
	dispatch(stage);
	expect(stage, "n1=a2 n2=b3", "");

	/* Also while the loser's file is broken. */
	save(stage, "b.yaml", NODE("n1", "b4"));
	dispatch(stage);
	expect(stage, "n1=b4", a_loses);
	save(stage, "a.yaml", BROKEN);
	discard(stage, "b.yaml");
	dispatch(stage);
	tick(stage);
	expect(stage, "n1=a2", NO_NAME);
	discard(stage, "a.yaml");
	dispatch(stage);
	tick(stage);
	expect(stage, "", "");
}

static void an_object_twice_in_a_file(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1") "---\n" NODE("n1", "2"));
	start(stage);
	expect(stage, "n1=2",
	       "a.yaml:1:1: warning: Node n1 stands twice in this file; the one in line 5 wins\n");
	assert_int_equal(status_of(stage).broken_files, 0);
}

static void unchanged_objects_are_not_dirty(void **state)
{
#define SERVICE(name, ip)                                                                       \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {clusterIP: " ip \
	", ports: [{port: 80}]}\n"
	struct stage *stage = *state;

	save(stage, "a.yaml", SERVICE("a", "10.0.0.1") SERVICE("b", "10.0.0.2"));
	start(stage);
	assert_string_equal(mrd_model_next_dirty(stage->model), "default/a");
	assert_string_equal(mrd_model_next_dirty(stage->model), "default/b");
	save(stage, "a.yaml", SERVICE("b", "10.0.0.3") SERVICE("a", "10.0.0.1"));
	dispatch(stage);
	assert_string_equal(mrd_model_next_dirty(stage->model), "default/b");
	assert_null(mrd_model_next_dirty(stage->model));
}

/* ------------------------------------------------------------------------ links */

static void a_link_to_a_manifest_is_one(void **state)
{
	struct stage *stage = *state;
	char from[PATH_ROOM];
	char to[PATH_ROOM];

	save(stage, "/one", NODE("n1", "1"));
	save(stage, "/two", NODE("n2", "2"));
	start(stage);
	make_link(stage, "../one", "a.yaml");
	assert_int_equal(link(path_of(stage, "/two", from), path_of(stage, "b.yaml", to)), 0);
	dispatch(stage);
	expect(stage, "n1=1 n2=2", "");
}

/* A mounted ConfigMap: a.yaml → ..data/a.yaml, ..data → ..1; an update renames a new link over
 * ..data. */
static void the_swap_of_a_configmap_is_seen(void **state)
{
	struct stage *stage = *state;

	make_folder(stage, "..1");
	save(stage, "..1/a.yaml", NODE("n1", "1"));
	save(stage, "..1/b.yaml", NODE("n2", "1"));
	make_link(stage, "..1", "..data");
	make_link(stage, "..data/a.yaml", "a.yaml");
	make_link(stage, "..data/b.yaml", "b.yaml");
	start(stage);
	expect(stage, "n1=1 n2=1", "");

	make_folder(stage, "..2");
	save(stage, "..2/a.yaml", NODE("n1", "2"));
	save(stage, "..2/c.yaml", NODE("n3", "2"));
	make_link(stage, "..2", "..data_tmp");
	dispatch(stage);
	expect(stage, "n1=1 n2=1", "");
	move(stage, "..data_tmp", "..data");
	make_link(stage, "..data/c.yaml", "c.yaml");
	discard(stage, "b.yaml");
	dispatch(stage);
	expect(stage, "n1=2 n2=1 n3=2", "");
	tick(stage);
	expect(stage, "n1=2 n3=2", "");
}

/* ------------------------------------------------------------------------ the folder */

static void a_folder_that_is_not_there_is_waited_for(void **state)
{
	struct stage *stage = *state;

	discard(stage, "/state");
	start(stage);
	assert_false(status_of(stage).readable);
	assert_int_equal(status_of(stage).last_heard_ns, 0);
	assert_int_equal(status_of(stage).failing_since_ns, stage->now_ns);
	assert_non_null(strstr(status_of(stage).error, "/state: No such file or directory"));
	tick(stage);
	expect(stage, "", "");
	assert_int_equal(status_of(stage).failing_since_ns, SECOND_NS);
	make_folder(stage, "/state");
	save(stage, "a.yaml", NODE("n1", "1"));
	tick(stage);
	expect(stage, "n1=1", "");
	assert_true(status_of(stage).readable);
	assert_int_equal(status_of(stage).failing_since_ns, 0);
	assert_string_equal(status_of(stage).error, "");
	save(stage, "a.yaml", NODE("n1", "2"));
	dispatch(stage);
	expect(stage, "n1=2", "");
}

static void a_folder_that_is_removed_keeps_everything(void **state)
{
	struct stage *stage = *state;
	const uint64_t heard_ns = stage->now_ns;

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yaml", NODE("n2", "1"));
	start(stage);
	discard(stage, "a.yaml"); /* as rm -r does, seen in the middle of it */
	dispatch(stage);
	discard(stage, "b.yaml");
	discard(stage, "/state");
	dispatch(stage);
	tick(stage);
	tick(stage);
	expect(stage, "n1=1 n2=1", "");
	assert_false(status_of(stage).readable);
	assert_int_equal(status_of(stage).last_heard_ns, heard_ns);

	make_folder(stage, "/state");
	save(stage, "b.yaml", NODE("n2", "2"));
	tick(stage);
	expect(stage, "n1=1 n2=2", ""); /* missed since now only */
	tick(stage);
	expect(stage, "n2=2", "");
	assert_true(status_of(stage).readable);
}

static void a_folder_that_is_replaced_is_read_anew(void **state)
{
	struct stage *stage = *state;

	save(stage, "a.yaml", NODE("n1", "1"));
	start(stage);
	make_folder(stage, "/new");
	save(stage, "/new/a.yaml", NODE("n1", "2"));
	move(stage, "/state", "/old");
	move(stage, "/new", "/state");
	dispatch(stage); /* told that the folder went, it finds the other one at once */
	expect(stage, "n1=2", "");
	save(stage, "/old/a.yaml", NODE("n1", "old"));
	dispatch(stage);
	expect(stage, "n1=2", "");
	save(stage, "a.yaml", NODE("n1", "3"));
	dispatch(stage);
	expect(stage, "n1=3", "");
}

static void a_folder_behind_a_link_is_followed(void **state)
{
	struct stage *stage = *state;

	make_folder(stage, "/v1");
	make_folder(stage, "/v2");
	save(stage, "/v1/a.yaml", NODE("n1", "1"));
	save(stage, "/v2/a.yaml", NODE("n1", "2"));
	discard(stage, "/state");
	make_link(stage, "v1", "/state");
	start(stage);
	expect(stage, "n1=1", "");
	make_link(stage, "v2", "/next");
	move(stage, "/next", "/state");
	tick(stage);
	expect(stage, "n1=2", "");
	save(stage, "/v2/a.yaml", NODE("n1", "3"));
	dispatch(stage);
	expect(stage, "n1=3", "");
}

/* More events than the kernel's queue holds: some are lost, and the folder is scanned. */
static void a_flood_of_events_loses_nothing(void **state)
{
	struct stage *stage = *state;
	unsigned int queue = 0;
	FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	if (!limit || fscanf(limit, "%u", &queue) != 1 || queue > 100000) {
		printf("SKIP: the length of the queue is not known, or too long to fill\n");
		queue = 0;
	}
	if (limit)
		fclose(limit);
	start(stage);
	for (unsigned int i = 0; i < queue / 2 + 1; i++) {
		save(stage, "x.txt", "1"); /* one event for each that differs from the one before */
		save(stage, "y.txt", "1");
	}
	save(stage, "a.yaml", NODE("n1", "1"));
	for (int i = 0; i < 4; i++)
		dispatch(stage);
	expect(stage, "n1=1", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_read_at_the_start),
		TEST(a_saved_file_takes_effect),
		TEST(a_file_is_read_when_its_writer_closes_it),
		TEST(a_broken_file_keeps_its_last_good_state),
		TEST(a_broken_file_that_is_deleted_takes_its_objects_and_error_along),
		TEST(an_error_is_one_line),
		TEST(an_emptied_file_takes_nothing_away),
		TEST(a_file_that_ends_at_its_kind_takes_nothing_away),
		TEST(cut_json_changes_nothing),
		TEST(a_file_that_cannot_be_opened_is_tried_again),
		TEST(a_pipe_is_no_manifest),
		TEST(a_deleted_file_takes_its_objects_away_after_a_moment),
		TEST(an_editor_that_saves_by_renaming_loses_nothing),
		TEST(a_renamed_file_keeps_its_objects),
		TEST(an_object_that_moves_between_files_is_never_lost),
		TEST(two_files_with_one_object),
		TEST(an_object_twice_in_a_file),
		TEST(unchanged_objects_are_not_dirty),
		TEST(a_link_to_a_manifest_is_one),
		TEST(the_swap_of_a_configmap_is_seen),
		TEST(a_folder_that_is_not_there_is_waited_for),
		TEST(a_folder_that_is_removed_keeps_everything),
		TEST(a_folder_that_is_replaced_is_read_anew),
		TEST(a_folder_behind_a_link_is_followed),
		TEST(a_flood_of_events_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
