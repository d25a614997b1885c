/* fault: makes one libc call of sockctl fail, for the tests. A library for
 * LD_PRELOAD; it acts only in a program of the name sockctl, and in its forks.
 *
 *	FAULT=CALL:N:WHAT   the Nth time of CALL fails; N+ from then on always
 *	FAULT_COUNT=FILE    counts the calls, an unsigned long
 *
 * CALL is a row of calls[]: a group of functions that do the same. WHAT is the
 * name of an error (rows of errors[]), or "short": reads or writes one byte.
 * A call that could not fail so is not counted: EAGAIN for a file or a
 * descriptor that blocks, one byte of a datagram. Forks count together, also
 * once they may not open a file any more: it is mapped. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
	READ,
	WRITE,
	RECV,
	SEND,
	ACCEPT,
	CONNECT,
	SOCKET,
	BIND,
	LISTEN,
	SETSOCKOPT,
	OPEN,
	RENAME,
	FSYNC,
	TRUNCATE,
	MEMORY,
	PSELECT,
	SPLICE,
	PIPE,
	FORK,
	CALLS,
};

static const char *const calls[CALLS] = {
	[READ] = "read",
	[WRITE] = "write",
	[RECV] = "recv",
	[SEND] = "send",
	[ACCEPT] = "accept",
	[CONNECT] = "connect",
	[SOCKET] = "socket",
	[BIND] = "bind",
	[LISTEN] = "listen",
	[SETSOCKOPT] = "setsockopt",
	[OPEN] = "open",
	[RENAME] = "rename",
	[FSYNC] = "fsync",
	[TRUNCATE] = "truncate",
	[MEMORY] = "memory",
	[PSELECT] = "pselect",
	[SPLICE] = "splice",
	[PIPE] = "pipe",
	[FORK] = "fork",
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EINTR", EINTR },
	{ "EAGAIN", EAGAIN },
	{ "ENOBUFS", ENOBUFS },
	{ "EMFILE", EMFILE },
	{ "ENFILE", ENFILE },
	{ "ENOMEM", ENOMEM },
	{ "ECONNABORTED", ECONNABORTED },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "EADDRINUSE", EADDRINUSE },
	{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
	{ "ENETUNREACH", ENETUNREACH },
	{ "ENOPROTOOPT", ENOPROTOOPT },
	{ "EPIPE", EPIPE },
	{ "EIO", EIO },
	{ "ENOSPC", ENOSPC },
	{ "EACCES", EACCES },
	{ "EINVAL", EINVAL },
};

enum verdict { PASS, FAIL, SHORT };

static struct {
	enum call call;
	unsigned long n;
	bool always;
	int number; /* 0: short */
	atomic_ulong *count; /* in FILE; NULL: no fault is wanted */
} plan;

static bool
parse(const char *text)
{
	char call[16], what[16], always[2];
	int fields = sscanf(
		text, "%15[a-z]:%lu%1[+]:%15s", call, &plan.n, always, what);

	plan.always = fields == 4;
	if (!plan.always &&
		sscanf(text, "%15[a-z]:%lu:%15s", call, &plan.n, what) != 3)
		return false;
	while (plan.call < CALLS && strcmp(calls[plan.call], call) != 0)
		plan.call++;
	if (strcmp(what, "short") != 0)
		plan.number = -1;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, what) == 0)
			plan.number = errors[i].number;
	return plan.call < CALLS && plan.number != -1 && plan.n > 0;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("FAULT");
	const char *file = getenv("FAULT_COUNT");
	void *page;
	int fd;

	if (!text || strcmp(program_invocation_short_name, "sockctl") != 0)
		return;
	if (!file || !parse(text)) {
		dprintf(STDERR_FILENO, "fault: not understood: %s\n", text);
		_exit(125);
	}
	fd = (int)syscall(
		SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	syscall(SYS_ftruncate, fd, (off_t)sizeof(*plan.count));
	page = mmap(NULL, sizeof(*plan.count), PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (page != MAP_FAILED)
		plan.count = page;
}

static bool
is_datagram(int fd)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		type != SOCK_STREAM;
}

/* A standard stream is shared: whoever else has it may have made it
 * non-blocking. */
static bool
may_be_empty(int fd, int flags)
{
	struct stat st;

	if (flags & MSG_DONTWAIT)
		return true;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return false;
	return fd <= STDERR_FILENO || (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Whether it strikes this call; fd -1 where there is none. */
static enum verdict
strike(enum call call, int fd, int flags)
{
	int kept = errno;
	unsigned long k;

	if (!plan.count || plan.call != call)
		return PASS;
	if (fd != -1 &&
		((plan.number == 0 && is_datagram(fd)) ||
			(plan.number == EAGAIN && !may_be_empty(fd, flags)))) {
		errno = kept;
		return PASS;
	}
	k = atomic_fetch_add(plan.count, 1) + 1;
	if (k < plan.n || (k > plan.n && !plan.always)) {
		errno = kept;
		return PASS;
	}
	errno = plan.number ? plan.number : kept;
	return plan.number ? FAIL : SHORT;
}

/* The function that is next in line, found once. */
#define NEXT(name) \
	static __typeof__(&name) next; \
	if (!next) \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

/* One that moves n bytes. */
#define MOVES(call, name, params, flags, args) \
	ssize_t name params \
	{ \
		NEXT(name); \
		switch (strike(call, fd, flags)) { \
		case FAIL: \
			return -1; \
		case SHORT: \
			n = n > 0; \
			break; \
		case PASS: \
			break; \
		} \
		return next args; \
	}

/* One that succeeds or not. */
#define DOES(call, type, bad, name, params, args) \
	type name params \
	{ \
		NEXT(name); \
		if (strike(call, -1, 0) == FAIL) \
			return bad; \
		return next args; \
	}

MOVES(READ, read, (int fd, void *p, size_t n), 0, (fd, p, n))
MOVES(READ, pread64, (int fd, void *p, size_t n, off64_t at), 0, (fd, p, n, at))
MOVES(WRITE, write, (int fd, const void *p, size_t n), 0, (fd, p, n))
MOVES(WRITE, pwrite64, (int fd, const void *p, size_t n, off64_t at), 0,
	(fd, p, n, at))
MOVES(RECV, recv, (int fd, void *p, size_t n, int flags), flags,
	(fd, p, n, flags))
MOVES(SEND, send, (int fd, const void *p, size_t n, int flags), flags,
	(fd, p, n, flags))
MOVES(SPLICE, splice,
	(int fd, off64_t *a, int to, off64_t *b, size_t n, unsigned flags), 0,
	(fd, a, to, b, n, flags))

/* The compiler's checked form of recv. */
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t
__recv_chk(int fd, void *p, size_t n, size_t room, int flags)
{
	if (n > room)
		abort();
	return recv(fd, p, n, flags);
}

/* Of messages that are short, the first piece's first byte. */
ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	enum verdict verdict = strike(SEND, fd, flags);
	struct msghdr less = *m;
	struct iovec first;

	NEXT(sendmsg);
	if (verdict == FAIL)
		return -1;
	if (verdict == PASS || m->msg_iovlen == 0)
		return next(fd, m, flags);
	first = m->msg_iov[0];
	for (size_t i = 1; i < m->msg_iovlen && first.iov_len == 0; i++)
		first = m->msg_iov[i];
	first.iov_len = first.iov_len > 0;
	less.msg_iov = &first;
	less.msg_iovlen = 1;
	return next(fd, &less, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	enum verdict verdict = strike(RECV, fd, flags);

	NEXT(recvmsg);
	if (verdict == FAIL)
		return -1;
	return next(fd, m, flags);
}

DOES(SEND, int, -1, sendmmsg,
	(int fd, struct mmsghdr *m, unsigned n, int flags), (fd, m, n, flags))
DOES(RECV, int, -1, recvmmsg,
	(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *t),
	(fd, m, n, flags, t))
DOES(ACCEPT, int, -1, accept,
	(int fd, struct sockaddr *restrict sa, socklen_t *restrict len),
	(fd, sa, len))
DOES(ACCEPT, int, -1, accept4,
	(int fd, struct sockaddr *restrict sa, socklen_t *restrict len,
		int flags),
	(fd, sa, len, flags))
DOES(SOCKET, int, -1, socket, (int family, int type, int protocol),
	(family, type, protocol))
DOES(BIND, int, -1, bind, (int fd, const struct sockaddr *sa, socklen_t len),
	(fd, sa, len))
DOES(LISTEN, int, -1, listen, (int fd, int backlog), (fd, backlog))
DOES(SETSOCKOPT, int, -1, setsockopt,
	(int fd, int level, int name, const void *p, socklen_t len),
	(fd, level, name, p, len))
DOES(RENAME, int, -1, rename, (const char *from, const char *to), (from, to))
DOES(RENAME, int, -1, renameat,
	(int a, const char *from, int b, const char *to), (a, from, b, to))
DOES(RENAME, int, -1, renameat2,
	(int a, const char *from, int b, const char *to, unsigned flags),
	(a, from, b, to, flags))
DOES(RENAME, int, -1, linkat,
	(int a, const char *from, int b, const char *to, int flags),
	(a, from, b, to, flags))
DOES(FSYNC, int, -1, fsync, (int fd), (fd))
DOES(TRUNCATE, int, -1, ftruncate64, (int fd, off64_t len), (fd, len))
DOES(PSELECT, int, -1, pselect,
	(int n, fd_set *restrict r, fd_set *restrict w, fd_set *restrict x,
		const struct timespec *restrict t, const sigset_t *restrict s),
	(n, r, w, x, t, s))
DOES(PIPE, int, -1, pipe2, (int fd[2], int flags), (fd, flags))
DOES(PIPE, int, -1, socketpair, (int f, int t, int p, int fd[2]), (f, t, p, fd))
DOES(FORK, pid_t, -1, fork, (void), ())
DOES(OPEN, FILE *, NULL, fopen64,
	(const char *restrict path, const char *restrict mode), (path, mode))
DOES(OPEN, DIR *, NULL, opendir, (const char *path), (path))

/* An interrupted connect goes on by itself (POSIX); that of a datagram socket
 * never waits. */
int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	bool fails = !(plan.number == EINTR && is_datagram(fd)) &&
		strike(CONNECT, -1, 0) == FAIL;

	NEXT(connect);
	if (!fails || plan.number == EINTR) {
		int result = next(fd, sa, len);

		if (!fails || (result == -1 && errno != EINPROGRESS))
			return result;
		errno = EINTR;
	}
	return -1;
}

static mode_t
mode_of(int flags, va_list list)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

int
open64(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	NEXT(open64);
	va_start(list, flags);
	mode = mode_of(flags, list);
	va_end(list);
	return strike(OPEN, -1, 0) == FAIL ? -1 : next(path, flags, mode);
}

int
openat64(int folder, const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	NEXT(openat64);
	va_start(list, flags);
	mode = mode_of(flags, list);
	va_end(list);
	return strike(OPEN, -1, 0) == FAIL ? -1
					   : next(folder, path, flags, mode);
}

/* The compiler's checked forms, for calls without a mode. */
int __open64_2(const char *path, int flags);
int
__open64_2(const char *path, int flags)
{
	return open64(path, flags);
}

int __openat64_2(int folder, const char *path, int flags);
int
__openat64_2(int folder, const char *path, int flags)
{
	return openat64(folder, path, flags);
}

#ifndef FAULT_NO_MEMORY /* a sanitizer has them all */
/* glibc's own names, since finding the next function may itself allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *
malloc(size_t size)
{
	return strike(MEMORY, -1, 0) == FAIL ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return strike(MEMORY, -1, 0) == FAIL ? NULL
					     : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return strike(MEMORY, -1, 0) == FAIL ? NULL : __libc_realloc(old, size);
}
#endif
