#include "../../util/hash.h"
#include "check.h"

/* As xxhsum -H1 prints them, of the first n bytes of the pattern. */
static const struct {
	size_t n;
	uint64_t value;
} known[] = {
	{ 1, UINT64_C(0xe934a84adb052768) },
	{ 3, UINT64_C(0xe5c7bb4533bc65dd) },
	{ 4, UINT64_C(0xa3bff36faa537162) },
	{ 5, UINT64_C(0x735d753f141ca706) },
	{ 7, UINT64_C(0xad40be587879d8c9) },
	{ 8, UINT64_C(0x48f38be1a2a0828d) },
	{ 11, UINT64_C(0x7938f50cd8d42cfd) },
	{ 12, UINT64_C(0xafa7fecd583b328e) },
	{ 31, UINT64_C(0xf0851c1b50ef4e85) },
	{ 32, UINT64_C(0x6a467b26f7c5ca1d) },
	{ 33, UINT64_C(0x95419fd5b0c6f841) },
	{ 63, UINT64_C(0x763273b31a6227de) },
	{ 64, UINT64_C(0x291693f5a309e1ed) },
	{ 100, UINT64_C(0x1ee597ebb989fbf7) },
	{ 999, UINT64_C(0x5df2e25f63e9b869) },
	{ 5000, UINT64_C(0x93614e5282bce4f6) },
};

static void
test_known(const uint8_t *data)
{
	for (size_t i = 0; i < COUNT(known); i++)
		CHECK(hash_of(data, known[i].n) == known[i].value);
	CHECK(hash_of("", 0) == UINT64_C(0xef46db3751d8e999));
	CHECK(hash_of("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

/* In pieces of every size, read out between the pieces. */
static void
test_pieces(const uint8_t *data, size_t n)
{
	for (size_t piece = 1; piece < 100; piece++) {
		struct hash h;
		size_t done = 0, wrong = 0;

		hash_start(&h);
		while (done < n) {
			size_t k = n - done < piece ? n - done : piece;

			hash_add(&h, data + done, k);
			hash_add(&h, data, 0);
			done += k;
			wrong += hash_value(&h) != hash_of(data, done);
		}
		CHECK_INT(wrong, 0);
	}
}

int
main(void)
{
	static uint8_t data[5000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * i / 7 + i);
	test_known(data);
	test_pieces(data + 1, 700);
	return check_result();
}
