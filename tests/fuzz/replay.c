/* A main for fuzz targets that only replays files: each argument is one, or a
 * folder of them. What a fuzzer once found stays found, with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX), *input;
	size_t n;

	if (!f || !data) {
		perror(path);
		exit(2);
	}
	n = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	/* Exactly as large as the input, so that a sanitizer sees its end. */
	input = malloc(n ? n : 1);
	for (size_t i = 0; input && i < n; i++)
		input[i] = data[i];
	free(data);
	if (input)
		LLVMFuzzerTestOneInput(input, n);
	free(input);
	return 1;
}

static int
replay(const char *path)
{
	DIR *folder = opendir(path);
	char name[4096];
	struct dirent *entry;
	int count = 0;

	if (!folder)
		return replay_file(path);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		count += replay_file(name);
	}
	closedir(folder);
	return count;
}

int
main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	int i, count = 1;

	LLVMFuzzerTestOneInput(nothing, 0);
	for (i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%d inputs\n", count);
	return 0;
}
