/* mem: allocation that fails only fatally.
 *
 * Running out of memory is one line on standard error and exit 6; nothing in
 * the program has to think of it. */
#ifndef SOCKCTL_MEM_H
#define SOCKCTL_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size); /* not cleared */
void *mem_zero(size_t count, size_t size); /* cleared; overflow is fatal */
/* Room for count items of size; the old contents stay, the rest is not
 * cleared. */
void *mem_grow(void *old, size_t count, size_t size);
void *mem_copy(const void *from, size_t size);
char *mem_string(const char *from); /* NULL stays NULL */

#endif
