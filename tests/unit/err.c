#include "../../util/err.h"
#include "check.h"
#include <errno.h>

static void
test_fill(void)
{
	struct err e;
	char line[ERR_LINE_MAX], small[8];

	CHECK_INT(err_set(&e, "bind", EADDRINUSE, "0.0.0.0:4000"), -1);
	CHECK_INT(errno, EADDRINUSE);
	CHECK_STR(err_line(&e, line, sizeof line),
		"bind 0.0.0.0:4000: Address already in use (EADDRINUSE)");
	CHECK_STR(err_line(&e, small, sizeof small), "bind 0.");
	CHECK_STR(e.hint, "");
	CHECK_INT(err_hint(&e, "try %d", 5), -1);
	CHECK_STR(e.hint, "try 5");
	CHECK_INT(errno, EADDRINUSE);

	CHECK_INT(err_setf(&e, "protocol", 0, NULL, "bad %s", "magic"), -1);
	CHECK_STR(err_line(&e, line, sizeof line), "protocol: bad magic");
	CHECK_STR(e.hint, "");
	err_setf(&e, NULL, 0, NULL, "no port");
	CHECK_STR(err_line(&e, line, sizeof line), "no port");
	CHECK_INT(err_set(NULL, "read", EIO, "f"), -1);
	CHECK_INT(errno, EIO);
	CHECK_INT(err_hint(NULL, "x"), -1);
}

/* An error is often made out of another one. */
static void
test_alias(void)
{
	struct err e;
	char line[ERR_LINE_MAX], big[2 * ERR_TEXT_MAX];

	err_setf(&e, "open", ENOENT, "name", "first");
	err_setf(&e, "open", e.number, e.target + 1, "again: %s", e.text);
	CHECK_STR(err_line(&e, line, sizeof line),
		"open ame: again: first (ENOENT)");
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	err_setf(&e, "setsockopt", EPROTONOSUPPORT, big, "%s", big);
	CHECK_INT(strlen(e.target), ERR_TARGET_MAX - 1);
	CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
	err_line(&e, line, sizeof line);
	CHECK(strstr(line, "x (EPROTONOSUPPORT)") != NULL);
}

static void
test_exit(void)
{
	static const struct {
		const char *op;
		int number, code;
	} rows[] = {
		{ NULL, EIO, 0 },
		{ "resolve", 0, 3 },
		{ "connect", ECONNREFUSED, 1 },
		{ "connect", ENETUNREACH, 1 },
		{ "connect", ENOENT, 1 },
		{ "connect", ECONNRESET, 5 },
		{ "connect", ETIMEDOUT, 4 },
		{ "connect", EADDRINUSE, 7 },
		{ "connect", EADDRNOTAVAIL, 7 },
		{ "socket", EMFILE, 7 },
		{ "setsockopt", EPERM, 7 },
		{ "bind", EACCES, 7 },
		{ "listen", EADDRINUSE, 7 },
		{ "accept", EMFILE, 7 },
		{ "send", EPIPE, 5 },
		{ "recv", ETIMEDOUT, 5 },
		{ "open", ENOENT, 6 },
		{ "read", EIO, 6 },
		{ "write", ENOSPC, 6 },
		{ "exec", ENOENT, 6 },
		{ "protocol", 0, 8 },
		{ "wait", ETIMEDOUT, 4 },
	};
	struct err e;

	for (size_t i = 0; i < COUNT(rows); i++) {
		err_set(&e, rows[i].op, rows[i].number, NULL);
		CHECK_INT(err_exit(&e), rows[i].code);
	}
}

static void
test_worst(void)
{
	static const int order[] = { 2, 7, 6, 8, 3, 5, 4, 1, 9, 0 };

	for (size_t i = 0; i < COUNT(order); i++) {
		for (size_t j = i; j < COUNT(order); j++) {
			CHECK_INT(err_worst(order[i], order[j]), order[i]);
			CHECK_INT(err_worst(order[j], order[i]), order[i]);
		}
	}
	CHECK_INT(err_worst(2, 130), 130);
	CHECK_INT(err_worst(143, 0), 143);
}

int
main(void)
{
	test_fill();
	test_alias();
	test_exit();
	test_worst();
	CHECK_STR(err_name(ECONNREFUSED), "ECONNREFUSED");
	CHECK_STR(err_name(EAGAIN), "EAGAIN");
	CHECK(err_name(0) == NULL);
	CHECK(err_name(-1) == NULL);
	return check_result();
}
