#include "../../util/procnet.h"
#include "check.h"

static const char text[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
	"retrnsmt   uid  timeout inode\n"
	"   0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 "
	"00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0\n"
	"broken line\n"
	"   1: 0100007F 00000000:0000 0A 0:0 0:0 0 0 0 1 1 0 100 0 0 10 0\n"
	"  13: 0000000000000000FFFF00000100007F:C350 "
	"0000000000000000FFFF00000100007F:0FA0 06 00000000:00000000 "
	"03:00000F00 00000000     0        0 0 3 0000000000000000\n";

int
main(void)
{
	FILE *f = tmpfile();
	struct procnet p;

	fputs(text, f);
	rewind(f);
	CHECK(procnet_next(f, &p));
	CHECK_STR(p.local, "0100007F");
	CHECK_INT(p.local_port, 4000);
	CHECK_STR(p.peer, "00000000");
	CHECK_INT(p.peer_port, 0);
	CHECK_INT(p.state, 10);
	CHECK_INT(p.uid, 1000);
	CHECK_INT(p.inode, 12345);
	CHECK(procnet_next(f, &p));
	CHECK_STR(p.local, "0000000000000000FFFF00000100007F");
	CHECK_INT(p.local_port, 50000);
	CHECK_INT(p.state, 6);
	CHECK_INT(p.inode, 0);
	CHECK(!procnet_next(f, &p));
	fclose(f);
	return check_result();
}
