/* probe: the names of ports. Each question reads the whole of services(5), so
 * a scan reads it once. */
#include "../util/mem.h"
#include "probe.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 256 }; /* ports that are asked for one by one */

struct service {
	char *name;
	int port; /* as in servent: network order */
	bool udp;
};

static void
learn(struct probe *p)
{
	const struct servent *s;

	setservent(1);
	while ((s = getservent())) {
		p->service = mem_grow(p->service, (size_t)p->services + 1,
			sizeof(*p->service));
		p->service[p->services++] = (struct service){
			mem_string(s->s_name), s->s_port,
			strcmp(s->s_proto, "udp") == 0
		};
	}
	endservent();
}

const char *
probe_service(const struct target *t, const struct cell *c)
{
	struct probe *p = t->probe;
	int port = htons(c->port);
	const struct servent *s;

	if (t->is_unix || p->conf->net.numeric)
		return NULL;
	if (p->cells > FEW && p->services == 0)
		learn(p);
	if (p->services == 0) { /* few ports, or nothing to be read (musl) */
		s = getservbyport(port, probe_protocol(t));
		return s ? s->s_name : NULL;
	}
	for (int i = 0; i < p->services; i++)
		if (p->service[i].port == port &&
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
