/* Names from a peer, and files that grow under a hidden name. */
#include "../../util/part.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct name {
	const char *name, *fault; /* a piece of it; NULL: none */
	bool dotfiles;
} names[] = {
	{ "a", NULL, false },
	{ "a/b/c.d", NULL, false },
	{ "gr\xc3\xbc\xc3\x9f", NULL, false },
	{ "\xff\xfe\x80", NULL, false },
	{ "a\\b", NULL, false },
	{ "", "no name", true },
	{ "/etc/passwd", "absolute", true },
	{ "..", "\"..\"", true },
	{ "a/../b", "\"..\"", true },
	{ "a/..", "\"..\"", true },
	{ ".", "\".\"", true },
	{ "a/./b", "\".\"", true },
	{ "a//b", "empty", true },
	{ "a/", "empty", true },
	{ "a\nb", "control", true },
	{ "a\x1b[2J", "control", true },
	{ "a\x7f", "control", true },
	{ "a\xc2\x9b", "control", true },
	{ ".ssh/authorized_keys", "hidden", false },
	{ ".ssh/authorized_keys", NULL, true },
	{ "a/.b", "hidden", false },
	{ "...", NULL, true },
	{ ".x.part", ".*.part", false },
	{ ".x.part", ".*.part", true },
	{ "a/.x.part/b", ".*.part", true },
	{ "x.part", NULL, false },
};

static void
test_names(void)
{
	char long_name[FILENAME_MAX_ALL + 2], out[FILENAME_MAX_PART + 1];
	const char *fault;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		fault = filename_fault(names[i].name, strlen(names[i].name),
			names[i].dotfiles);
		if (!names[i].fault)
			CHECK_STR(fault ? fault : "good", "good");
		else
			CHECK(fault && strstr(fault, names[i].fault));
	}
	CHECK(filename_fault("a\0b", 3, true) != NULL);
	memset(long_name, 'x', sizeof long_name);
	CHECK(!filename_fault(long_name, 255, true));
	CHECK(filename_fault(long_name, 256, true) != NULL);
	for (i = 200; i < sizeof long_name; i += 200)
		long_name[i] = '/';
	CHECK(!filename_fault(long_name, 4096, true));
	CHECK(filename_fault(long_name, 4097, true) != NULL);
	filename_growing(out, "a.txt");
	CHECK_STR(out, ".a.txt.part");
	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	filename_growing(out, long_name);
	CHECK_INT(strlen(out), 255);
	CHECK_STR(out + 250, ".part");
	filename_numbered(out, long_name, 12);
	CHECK_INT(strlen(out), 255);
	CHECK_STR(out + 252, ".12");
	filename_numbered(out, "a.txt", 1);
	CHECK_STR(out, "a.txt.1");
}

static struct xfer_frame
offer(const char *name, uint64_t size)
{
	return (struct xfer_frame){ .type = XFER_OFFER,
		.word = XFER_FILE,
		.mode = 06755,
		.size = size,
		.mtime = 1000000000,
		.mtime_ns = 5,
		.text = name,
		.text_len = strlen(name) };
}

static enum part_result
open_part(struct part *p, int root, const struct xfer_frame *f,
	const struct part_policy *policy, enum xfer_reason *reason)
{
	struct part_fault fault = { 0 };
	enum part_result result = part_open(p, root, f, false, policy, &fault);

	*reason = fault.reason;
	return result;
}

static void
test_life(int root)
{
	struct part_policy policy = { .mask = 022 };
	struct part_fault fault = { 0 };
	struct xfer_frame f = offer("d/e/f", 6);
	enum xfer_reason why;
	struct part p, second;
	struct stat st;

	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_OK);
	CHECK_INT(part_write(&p, 0, "abc", 3, &fault), 0);
	CHECK(fstatat(root, "d/e/.f.part", &st, 0) == 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK_INT(open_part(&second, root, &f, &policy, &why), PART_FAULT);
	CHECK_INT(why, XFER_R_BUSY);
	part_close(&p);
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_OK);
	CHECK_INT(p.held, 3);
	CHECK_INT(part_write(&p, 3, "def", 3, &fault), 0);
	CHECK_INT(part_place(&p, &f, &policy, &fault), 0);
	part_close(&p);
	CHECK(fstatat(root, "d/e/.f.part", &st, 0) == -1);
	CHECK(fstatat(root, "d/e/f", &st, 0) == 0);
	CHECK_INT(st.st_size, 6);
	CHECK_INT(st.st_mode & 07777, 0755);
	CHECK_INT(st.st_mtim.tv_sec, 1000000000);
	CHECK_INT(st.st_mtim.tv_nsec, 5);
	/* The same file again. */
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_FAULT);
	CHECK_INT(why, XFER_R_EXISTS);
	policy.skip = true;
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_SKIP);
	f.mtime_ns++;
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_FAULT);
	CHECK_INT(why, XFER_R_EXISTS);
	/* What is empty and not in place leaves nothing. */
	policy.overwrite = true;
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_OK);
	CHECK_STR(p.name, "f");
	part_close(&p);
	CHECK(fstatat(root, "d/e/.f.part", &st, 0) == -1);
	policy.overwrite = false;
	policy.rename = true;
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_OK);
	CHECK_STR(p.name, "f.1");
	/* The name is taken meanwhile: the next one. */
	close(openat(root, "d/e/f.1", O_WRONLY | O_CREAT, 0600));
	CHECK_INT(part_write(&p, 0, "abcdef", 6, &fault), 0);
	CHECK_INT(part_place(&p, &f, &policy, &fault), 0);
	CHECK_STR(p.name, "f.2");
	part_close(&p);
	CHECK(fstatat(root, "d/e/f.1", &st, 0) == 0 && st.st_size == 0);
	CHECK(fstatat(root, "d/e/f.2", &st, 0) == 0 && st.st_size == 6);
}

/* A name that comes into being while the file grows is not replaced. */
static void
test_meanwhile(int root)
{
	struct part_policy policy = { 0 };
	struct part_fault fault = { 0 };
	struct xfer_frame f = offer("late", 1);
	enum xfer_reason why;
	struct stat st;
	struct part p;

	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_OK);
	CHECK_INT(part_write(&p, 0, "x", 1, &fault), 0);
	CHECK_INT(symlinkat("nowhere", root, "late"), 0);
	CHECK_INT(part_place(&p, &f, &policy, &fault), -1);
	CHECK_INT(fault.reason, XFER_R_EXISTS);
	policy.overwrite = true;
	CHECK_INT(part_place(&p, &f, &policy, &fault), -1);
	part_close(&p);
	CHECK(fstatat(root, "late", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(st.st_mode));
	CHECK(fstatat(root, ".late.part", &st, 0) == 0);
}

/* What stands in the way is left as it is. */
static void
test_obstacles(int root)
{
	static const char *const ways[] = { "link", "link/x", "fifo", "dir",
		"file/x", "planted", "twice" };
	struct part_policy policy = { .overwrite = true };
	enum xfer_reason why;
	struct xfer_frame f;
	struct part p;
	size_t i;

	CHECK_INT(symlinkat("/tmp", root, "link"), 0);
	CHECK_INT(mkfifo("fifo", 0600), 0);
	CHECK_INT(mkdirat(root, "dir", 0700), 0);
	close(openat(root, "file", O_WRONLY | O_CREAT, 0600));
	CHECK_INT(symlinkat("file", root, ".planted.part"), 0);
	CHECK_INT(linkat(root, "file", root, ".twice.part", 0), 0);
	for (i = 0; i < COUNT(ways); i++) {
		f = offer(ways[i], 1);
		if (!CHECK_INT(open_part(&p, root, &f, &policy, &why),
			    PART_FAULT) ||
			!CHECK_INT(why, XFER_R_KIND))
			printf("  at %s\n", ways[i]);
	}
	f = offer("file", 1);
	f.word = XFER_FOLDER;
	CHECK_INT(part_folder(root, &f, &policy, &(struct part_fault){ 0 }),
		PART_FAULT);
	f = offer("dir/new", 1);
	CHECK_INT(part_folder(root, &f, &policy, &(struct part_fault){ 0 }),
		PART_OK);
	CHECK_INT(part_folder(root, &f, &policy, &(struct part_fault){ 0 }),
		PART_OK);
	policy.max_size = 10;
	f = offer("large", 11);
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_FAULT);
	CHECK_INT(why, XFER_R_TOO_LARGE);
	policy.max_size = 0;
	f = offer("large", UINT64_MAX / 2);
	CHECK_INT(open_part(&p, root, &f, &policy, &why), PART_FAULT);
	CHECK_INT(why, XFER_R_SPACE);
}

int
main(void)
{
	char folder[] = "/tmp/sockctl-part-XXXXXX", command[64];
	int root;

	test_names();
	if (!mkdtemp(folder) || chdir(folder) == -1)
		return 1;
	root = open(".", O_RDONLY | O_DIRECTORY);
	test_life(root);
	test_meanwhile(root);
	test_obstacles(root);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) != 0 || check_result();
}
