/* below: names below a folder, reached part by part with O_NOFOLLOW: never
 * through a symbolic link, whatever is planted there meanwhile. Failures are -1
 * with errno; ENOTDIR and ELOOP: something else stands in the way. */
#ifndef SOCKCTL_BELOW_H
#define SOCKCTL_BELOW_H

/* A folder in dir; "." is dir itself. Good for openat and the like. */
int below_folder(int dir, const char *name);
/* Walks from root to the folder of name's last part, which is copied to last
 * (FILENAME_MAX_PART + 1 bytes). Missing folders are made. name was checked. */
int below_descend(int root, const char *name, char *last);

#endif
