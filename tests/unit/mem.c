#include "../../util/mem.h"
#include "check.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_death(void)
{
	int ends[2], status;
	char text[64] = "";
	ssize_t n;
	pid_t pid;

	CHECK_INT(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		mem_grow(NULL, SIZE_MAX / 2 + 1, 2);
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], text, sizeof text - 1);
	CHECK(n > 0);
	close(ends[0]);
	CHECK_STR(text, "sockctl: out of memory\n");
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

int
main(void)
{
	char *s = mem_alloc(0), *z = mem_zero(100, 3);
	int *grown = NULL;

	CHECK(s != NULL);
	free(s);
	for (int i = 0; i < 300; i++)
		CHECK(z[i] == 0);
	free(z);
	for (int i = 0; i < 100; i++) {
		grown = mem_grow(grown, (size_t)i + 1, sizeof *grown);
		grown[i] = i;
	}
	for (int i = 0; i < 100; i++)
		CHECK_INT(grown[i], i);
	grown = mem_grow(grown, 0, sizeof *grown);
	CHECK(grown != NULL);
	free(grown);
	CHECK(mem_string(NULL) == NULL);
	s = mem_string("text");
	z = mem_copy(s, 5);
	CHECK_STR(z, "text");
	free(s);
	free(z);
	test_death();
	return check_result();
}
