/* What is given up: each thing is tried in a child that did so, since it is for
 * ever. Without Landlock in this kernel the fall-back is what is tested. */
#include "../../util/confine.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOTHING = 255 };

static int
worked(int result)
{
	return result == -1 ? errno : 0;
}

static int
make(const char *path)
{
	return worked(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
write_to(const char *path)
{
	return worked(open(path, O_WRONLY | O_CLOEXEC));
}

static int
cut(const char *path)
{
	return worked(truncate(path, 0));
}

static int
look_at(const char *path)
{
	return worked(open(path, O_RDONLY | O_CLOEXEC));
}

static int
make_folder(const char *path)
{
	return worked(mkdir(path, 0700));
}

static int
make_link(const char *path)
{
	return worked(symlink("file", path));
}

static int
make_fifo(const char *path)
{
	return worked(mkfifo(path, 0600));
}

/* In its own folder, from the name beside it. */
static int
give_name(const char *path)
{
	char from[64];

	snprintf(from, sizeof from, "%.*sfile",
		(int)(strrchr(path, '/') + 1 - path), path);
	return worked(rename(from, path));
}

static int
move_out(const char *path)
{
	return worked(rename(path, "out/moved"));
}

static int
run(const char *path)
{
	return worked(execl(path, path, (char *)NULL));
}

/* What was tried, and what comes of it where writing is confined to "in" and
 * "out/written", and removing to "out" too. */
static const struct trial {
	const char *name;
	int (*does)(const char *path);
	const char *path;
	int number;
} trials[] = {
	{ "make below", make, "in/new", 0 },
	{ "make further below", make, "in/deep/new", 0 },
	{ "write below", write_to, "in/file", 0 },
	{ "cut below", cut, "in/file", 0 },
	{ "folder below", make_folder, "in/folder", 0 },
	{ "rename below", give_name, "in/named", 0 },
	{ "remove below", unlink, "in/file", 0 },
	{ "link below", make_link, "in/link", EACCES },
	{ "fifo below", make_fifo, "in/fifo", EACCES },
	{ "remove a folder below", rmdir, "in/deep", EACCES },
	{ "move out", move_out, "in/file", EACCES },
	{ "make", make, "out/new", EACCES },
	{ "make above", make, "new", EACCES },
	{ "write", write_to, "out/file", EACCES },
	{ "write where it may", write_to, "out/written", 0 },
	{ "remove where it may write", unlink, "out/written", 0 },
	{ "write to a device", write_to, "/dev/null", EACCES },
	{ "read", look_at, "out/file", 0 },
	{ "folder", make_folder, "out/folder", EACCES },
	{ "rename", give_name, "out/named", EACCES },
	{ "remove where it may", unlink, "out/file", 0 },
	{ "remove", unlink, "file", EACCES },
	{ "execute", run, "/bin/true", EACCES },
};

static void
build(void)
{
	static const char *const names[] = { "in/file", "in/deep/file",
		"out/file", "out/written", "file" };
	size_t i;

	if (system("rm -rf in out file && mkdir -p in/deep out") != 0)
		abort();
	for (i = 0; i < COUNT(names); i++)
		CHECK_INT(make(names[i]), 0);
}

/* Confines a child and returns what one trial says there, NOTHING where
 * writing could not be confined. */
static int
tried(const struct trial *t)
{
	int pipes[2] = { -1, -1 };
	bool piped = pipe(pipes) == 0;
	struct confine_place places[] = {
		{ open("in", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			CONFINE_FILL },
		{ open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			CONFINE_REMOVE },
		{ open("out/written", O_WRONLY | O_CLOEXEC), CONFINE_WRITE },
		{ pipes[1], CONFINE_WRITE },
		{ -1, CONFINE_FILL },
	};
	int status = 0, number;
	size_t i;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		number = confine(places, COUNT(places)) & CONFINE_WRITES
			? t->does(t->path)
			: NOTHING;
		if (number == -1)
			number = errno;
		_exit(number);
	}
	CHECK(piped && pid > 0 && waitpid(pid, &status, 0) == pid);
	for (i = 0; i < COUNT(places); i++)
		close(places[i].fd);
	close(pipes[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_writes(void)
{
	static const struct trial start = { "start", look_at, "file", 0 };
	size_t i;

	build();
	if (tried(&start) == NOTHING) {
		printf("no Landlock here\n");
		return;
	}
	for (i = 0; i < COUNT(trials); i++) {
		build();
		printf("%s\n", trials[i].name);
		CHECK_INT(tried(&trials[i]), trials[i].number);
	}
}

/* A place that is none: nothing is restricted by halves. */
static void
test_bad_place(void)
{
	struct confine_place bad = { 1000, CONFINE_FILL };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit((confine(&bad, 1) & CONFINE_WRITES) == 0 &&
					make("out/new") == 0
				? 0
				: 1);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

int
main(void)
{
	char folder[] = "/tmp/confine.XXXXXX", remove[64];

	if (!mkdtemp(folder) || chdir(folder) == -1)
		return 1;
	test_writes();
	test_bad_place();
	snprintf(remove, sizeof remove, "rm -rf %s", folder);
	CHECK(chdir("/") == 0 && system(remove) == 0);
	return check_result();
}
