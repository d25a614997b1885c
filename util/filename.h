/* filename: names of files that come from a peer, and those made of them. */
#ifndef SOCKCTL_FILENAME_H
#define SOCKCTL_FILENAME_H

#include <stdbool.h>
#include <stddef.h>

/* Of one part of a path, as Linux and its file systems have it. */
enum { FILENAME_MAX_PART = 255, FILENAME_MAX_ALL = 4096 };

/* What is wrong with a name (relative, parts with '/' between), a phrase for
 * "name: ..."; NULL: nothing. dotfiles: parts may begin with a dot. */
const char *filename_fault(const char *name, size_t n, bool dotfiles);

/* The name under which a file grows, ".NAME.part", shortened (and then made
 * distinct by a hash) where it would be too long. part is the last part of a
 * name; out holds FILENAME_MAX_PART + 1 bytes. */
void filename_growing(char *out, const char *part);
/* "NAME.3", shortened where it would be too long. */
void filename_numbered(char *out, const char *part, unsigned number);

#endif
