#include "err.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ROW(name) \
	{ \
		name, #name \
	}

static const struct {
	int number;
	const char *name;
} names[] = {
#ifdef EDQUOT
	ROW(EDQUOT),
#endif
#ifdef EHOSTDOWN
	ROW(EHOSTDOWN),
#endif
#ifdef EPFNOSUPPORT
	ROW(EPFNOSUPPORT),
#endif
#ifdef ESOCKTNOSUPPORT
	ROW(ESOCKTNOSUPPORT),
#endif
#ifdef ESHUTDOWN
	ROW(ESHUTDOWN),
#endif
#ifdef ETOOMANYREFS
	ROW(ETOOMANYREFS),
#endif
#ifdef EUSERS
	ROW(EUSERS),
#endif
#ifdef ENOTBLK
	ROW(ENOTBLK),
#endif
#ifdef ENONET
	ROW(ENONET),
#endif
#ifdef ENOTUNIQ
	ROW(ENOTUNIQ),
#endif
#ifdef ECOMM
	ROW(ECOMM),
#endif
#ifdef EREMOTEIO
	ROW(EREMOTEIO),
#endif
#ifdef EMEDIUMTYPE
	ROW(EMEDIUMTYPE),
#endif
#ifdef ENOMEDIUM
	ROW(ENOMEDIUM),
#endif
#ifdef ENODATA
	ROW(ENODATA),
#endif
#ifdef ETIME
	ROW(ETIME),
#endif
#ifdef ENOKEY
	ROW(ENOKEY),
#endif
#ifdef EUCLEAN
	ROW(EUCLEAN),
#endif
	ROW(ECONNREFUSED), ROW(ECONNRESET), ROW(ECONNABORTED), ROW(EPIPE),
	ROW(ETIMEDOUT), ROW(EHOSTUNREACH), ROW(ENETUNREACH), ROW(ENETDOWN),
	ROW(ENETRESET), ROW(EADDRINUSE), ROW(EADDRNOTAVAIL), ROW(EAFNOSUPPORT),
	ROW(EALREADY), ROW(EAGAIN), ROW(EWOULDBLOCK), ROW(EDESTADDRREQ),
	ROW(EINPROGRESS), ROW(EISCONN), ROW(EMSGSIZE), ROW(ENOBUFS),
	ROW(ENOPROTOOPT), ROW(ENOTCONN), ROW(ENOTSOCK), ROW(EOPNOTSUPP),
	ROW(ENOTSUP), ROW(EPROTO), ROW(EPROTONOSUPPORT), ROW(EPROTOTYPE),
	ROW(E2BIG), ROW(EACCES), ROW(EBADF), ROW(EBADMSG), ROW(EBUSY),
	ROW(ECANCELED), ROW(ECHILD), ROW(EDEADLK), ROW(EDOM), ROW(EEXIST),
	ROW(EFAULT), ROW(EFBIG), ROW(EILSEQ), ROW(EINTR), ROW(EINVAL), ROW(EIO),
	ROW(EISDIR), ROW(ELOOP), ROW(EMFILE), ROW(EMLINK), ROW(ENAMETOOLONG),
	ROW(ENFILE), ROW(ENODEV), ROW(ENOENT), ROW(ENOEXEC), ROW(ENOLCK),
	ROW(ENOMEM), ROW(ENOSPC), ROW(ENOSYS), ROW(ENOTDIR), ROW(ENOTEMPTY),
	ROW(ENOTTY), ROW(ENXIO), ROW(EOVERFLOW), ROW(EPERM), ROW(ERANGE),
	ROW(EROFS), ROW(ESPIPE), ROW(ESRCH), ROW(ESTALE), ROW(ETXTBSY),
	ROW(EXDEV)
};

/* The first row that fits decides; number 0 fits all. */
static const struct {
	const char *op;
	int number;
	enum exit_code code;
} exits[] = {
	{ "resolve", 0, EXIT_RESOLVE },
	{ "connect", ETIMEDOUT, EXIT_TIMEOUT },
	{ "connect", EADDRINUSE, EXIT_SETUP },
	{ "connect", EADDRNOTAVAIL, EXIT_SETUP },
	{ "connect", ECONNRESET, EXIT_LOST }, /* it stood for a moment */
	{ "connect", 0, EXIT_REFUSED },
	{ "socket", 0, EXIT_SETUP },
	{ "setsockopt", 0, EXIT_SETUP },
	{ "bind", 0, EXIT_SETUP },
	{ "listen", 0, EXIT_SETUP },
	{ "accept", 0, EXIT_SETUP },
	{ "send", 0, EXIT_LOST },
	{ "recv", 0, EXIT_LOST },
	{ "open", 0, EXIT_LOCAL },
	{ "read", 0, EXIT_LOCAL },
	{ "write", 0, EXIT_LOCAL },
	{ "exec", 0, EXIT_LOCAL },
	{ "protocol", 0, EXIT_INTEGRITY },
	{ "wait", 0, EXIT_TIMEOUT },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* from may lie within to: an error is often made out of another one. */
static void
copy_text(char *to, const char *from, size_t size)
{
	size_t n = from ? strlen(from) : 0;

	if (n >= size)
		n = size - 1;
	if (n > 0)
		memmove(to, from, n);
	to[n] = '\0';
}

int
err_set(struct err *e, const char *op, int number, const char *target)
{
	return err_setf(e, op, number, target, "%s", strerror(number));
}

int
err_setf(struct err *e, const char *op, int number, const char *target,
	const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (e) {
		va_start(ap, format);
		vsnprintf(text, sizeof text, format, ap);
		va_end(ap);
		e->op = op;
		e->number = number;
		copy_text(e->target, target, sizeof e->target);
		copy_text(e->text, text, sizeof e->text);
		e->hint[0] = '\0';
	}
	errno = number;
	return -1;
}

int
err_hint(struct err *e, const char *format, ...)
{
	int keep = errno;
	va_list ap;

	if (e) {
		va_start(ap, format);
		vsnprintf(e->hint, sizeof e->hint, format, ap);
		va_end(ap);
	}
	errno = keep;
	return -1;
}

const char *
err_name(int number)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

enum exit_code
err_exit(const struct err *e)
{
	if (!e->op)
		return EXIT_OK;
	for (size_t i = 0; i < COUNT(exits); i++)
		if (strcmp(exits[i].op, e->op) == 0 &&
			(!exits[i].number || exits[i].number == e->number))
			return exits[i].code;
	return EXIT_LOCAL;
}

/* Lower is told before higher; what the list does not know (a signal) first. */
static int
rank(int code)
{
	static const int order[] = { EXIT_USAGE, EXIT_SETUP, EXIT_LOCAL,
		EXIT_INTEGRITY, EXIT_RESOLVE, EXIT_LOST, EXIT_TIMEOUT,
		EXIT_REFUSED, EXIT_ASSERT, EXIT_OK };

	for (size_t i = 0; i < COUNT(order); i++)
		if (order[i] == code)
			return (int)i;
	return -1;
}

int
err_worst(int a, int b)
{
	return rank(b) < rank(a) ? b : a;
}

char *
err_line(const struct err *e, char *out, unsigned long size)
{
	const char *name = err_name(e->number);
	const char *op = e->op ? e->op : "";
	bool head = *op || *e->target;

	snprintf(out, size, "%s%s%s%s%s%s%s%s", op,
		*op && *e->target ? " " : "", e->target, head ? ": " : "",
		e->text, name ? " (" : "", name ? name : "", name ? ")" : "");
	return out;
}
