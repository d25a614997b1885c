/* probe: the names of ports, out of services(5), which is read once. */
#include "../util/mem.h"
#include "../util/num.h"
#include "probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
	char *name;
	int64_t port;
	bool udp;
};

/* NAME PORT/PROTOCOL [ALIAS]... [# COMMENT] */
static void
learn(struct probe *p, char *line)
{
	const char *name, *number, *protocol;
	int64_t port;
	bool udp;

	line[strcspn(line, "#\n")] = '\0';
	name = strtok_r(line, " \t", &line);
	number = strtok_r(NULL, " \t/", &line);
	protocol = strtok_r(NULL, " \t", &line);
	if (!protocol || num_int(number, 0, 65535, &port) == -1)
		return;
	udp = strcmp(protocol, "udp") == 0;
	if (!udp && strcmp(protocol, "tcp") != 0)
		return;
	p->service = mem_grow(
		p->service, (size_t)p->services + 1, sizeof(*p->service));
	p->service[p->services++] = (struct service){ mem_string(name), port,
		udp };
}

static void
learn_all(struct probe *p)
{
	FILE *f = fopen("/etc/services", "re");
	char line[512];

	p->services_read = true;
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		learn(p, line);
	fclose(f);
}

const char *
probe_service(const struct target *t, const struct cell *c)
{
	struct probe *p = t->probe;

	if (t->is_unix || p->conf->net.numeric)
		return NULL;
	if (!p->services_read)
		learn_all(p);
	for (int i = 0; i < p->services; i++)
		if (p->service[i].port == c->port &&
			p->service[i].udp == t->datagram)
			return p->service[i].name;
	return NULL;
}

void
probe_service_free(struct probe *p)
{
	for (int i = 0; i < p->services; i++)
		free(p->service[i].name);
	free(p->service);
}
