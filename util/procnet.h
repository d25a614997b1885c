/* procnet: the lines of /proc/net/tcp, udp and their like. proc(5). */
#ifndef SOCKCTL_PROCNET_H
#define SOCKCTL_PROCNET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An address is hexadecimal, in words of this machine. */
struct procnet {
	char local[33], peer[33];
	unsigned local_port, peer_port;
	unsigned state; /* the kernel's number */
	int64_t uid, inode; /* inode 0: nobody has it open */
};

/* Reads on to the next connection; false at the end of the file. */
bool procnet_next(FILE *f, struct procnet *p);

#endif
