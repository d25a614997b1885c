#include "complete.h"
#include "sockopt.h"
#include <string.h>

/* All three scripts carry the same table, a line an option (mode, letter, name,
 * what its value is, help, with tabs between; letter * is the mode's arguments,
 * no mode the first word), and the same awk program, which prints the words
 * that may stand at the cursor, each with its help behind a tab. @file and @dir
 * are left to the shell. No quote and no doubled backslash may stand in them:
 * fish reads those in its own way. */
static const char engine[] =
	"BEGIN { FS = \"\\t\"; known = ENVIRON[\"HOME\"] \"/.ssh/known_hosts\" "
	"}\n"
	"$1 != mode { next }\n"
	"$2 == \"*\" { if (kind == \"\") kind = $4; next }\n"
	"prev != \"\" && (prev == $2 || prev == $3) && $4 != \"\" {\n"
	"\tkind = $4; value = 1 }\n"
	"$2 != \"\" { option[++n] = $2 \"\\t\" $5 }\n"
	"$3 != \"\" { option[++n] = $3 \"\\t\" $5 }\n"
	"function hosts(  line, word, n, i) {\n"
	"\twhile ((getline line < \"/etc/hosts\") > 0) {\n"
	"\t\tsub(/#.*/, \"\", line)\n"
	"\t\tn = split(line, word, /[ \\t]+/)\n"
	"\t\tfor (i = 2; i <= n; i++) if (word[i] != \"\") print word[i]\n"
	"\t}\n"
	"\twhile ((getline line < known) > 0) {\n"
	"\t\tif (line ~ /^[#@|]/) continue\n"
	"\t\tsub(/ .*/, \"\", line)\n"
	"\t\tn = split(line, word, /,/)\n"
	"\t\tfor (i = 1; i <= n; i++) {\n"
	"\t\t\tgsub(/^[[]|].*/, \"\", word[i]); print word[i] }\n"
	"\t}\n"
	"}\n"
	"function lines(command,  line) {\n"
	"\twhile ((command | getline line) > 0) print line\n"
	"}\n"
	"END {\n"
	"\tif (!value && (mode == \"\" || cur ~ /^-/)) {\n"
	"\t\tfor (i = 1; i <= n; i++) print option[i]\n"
	"\t\texit }\n"
	"\tn = split(kind, word, / /)\n"
	"\tfor (i = 1; i <= n; i++) {\n"
	"\t\tif (word[1] == \"words\") { if (i > 1) print word[i] }\n"
	"\t\telse if (word[i] == \"host\") hosts()\n"
	"\t\telse if (word[i] == \"interface\") lines(\"ls /sys/class/net\")\n"
	"\t\telse if (word[i] == \"congestion\") lines(\"tr \\\" \\\" "
	"\\\"\\n\\\" < /proc/sys/net/ipv4/tcp_available_congestion_control\")\n"
	"\t\telse if (word[i] != \"none\") print \"@\" word[i]\n"
	"\t}\n"
	"}\n";

static const char bash[] =
	"_sockctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} line mode=\n"
	"\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tif [[ $cur == = ]]; then cur=; fi\n"
	"\tif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
	"\tif ((COMP_CWORD > 1)); then mode=${COMP_WORDS[1]}; fi\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t@file) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < \\\n"
	"\t\t\t<(compgen -f -- \"$cur\") ;;\n"
	"\t\t@dir) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"\t\t\"$cur\"*) COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"\t\t\tcontinue ;;\n"
	"\t\t*) continue ;;\n"
	"\t\tesac\n"
	"\t\tcompopt -o filenames 2> /dev/null || :\n"
	"\tdone < <(_sockctl_words \"$mode\" \"$prev\" \"$cur\")\n"
	"}\n"
	"complete -F _sockctl sockctl\n";

static const char zsh[] =
	"_sockctl() {\n"
	"\tlocal line mode= prev=$words[CURRENT-1]\n"
	"\tlocal -a list\n"
	"\tif [[ $PREFIX == --*=* ]]; then\n"
	"\t\tprev=${PREFIX%%=*}\n"
	"\t\tcompset -P '*='\n"
	"\tfi\n"
	"\tif ((CURRENT > 2)); then mode=$words[2]; fi\n"
	"\tfor line in ${(f)\"$(_sockctl_words \"$mode\" \"$prev\" "
	"\"$PREFIX\")\"}; do\n"
	"\t\tcase $line in\n"
	"\t\t@file) _files ;;\n"
	"\t\t@dir) _files -/ ;;\n"
	"\t\t*) list+=(\"${${line//:/\\\\:}/$'\\t'/:}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif (($#list)); then _describe sockctl list; fi\n"
	"}\n"
	"if [[ $funcstack[1] == _sockctl ]]; then\n"
	"\t_sockctl \"$@\"\n"
	"else\n"
	"\tcompdef _sockctl sockctl\n"
	"fi\n";

static const char fish[] =
	"function __sockctl\n"
	"\tset -l typed (commandline -opc)\n"
	"\tset -l cur (commandline -ct)\n"
	"\tset -l prev $typed[-1]\n"
	"\tset -l mode ''\n"
	"\tset -l before ''\n"
	"\tif test (count $typed) -gt 1\n"
	"\t\tset mode $typed[2]\n"
	"\tend\n"
	"\tif string match -q -- '--*=*' \"$cur\"\n"
	"\t\tset -l part (string split -m 1 = -- $cur)\n"
	"\t\tset prev $part[1]\n"
	"\t\tset cur $part[2]\n"
	"\t\tset before $prev=\n"
	"\tend\n"
	"\tfor line in (_sockctl_words \"$mode\" \"$prev\" \"$cur\")\n"
	"\t\tswitch $line\n"
	"\t\tcase @file\n"
	"\t\t\tprintf '%s\\n' $before(__fish_complete_path \"$cur\")\n"
	"\t\tcase @dir\n"
	"\t\t\tprintf '%s\\n' $before(__fish_complete_directories "
	"\"$cur\" '')\n"
	"\t\tcase '*'\n"
	"\t\t\tprintf '%s\\n' $before$line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c sockctl -f -a '(__sockctl)'\n";

/* What may stand as the option's value: kinds, or "words" and the words. */
static void
put_kind(struct buf *out, const struct opt *row)
{
	const char *const *word = row->type == OPT_WORD ? row->words : NULL;
	const char *name;
	int i;

	if (!row->word || row->word[0] == '[')
		return;
	if (word) {
		buf_string(out, "words");
		for (; *word; word++)
			buf_printf(out, " %s", *word);
	} else if (row->complete && strcmp(row->complete, "sockopt") == 0) {
		buf_string(out, "words");
		for (i = 0; (name = sockopt_name(i)) != NULL; i++)
			buf_printf(out, " %s", name);
	} else {
		buf_string(out, row->complete ? row->complete : "none");
	}
}

static void
put_help(struct buf *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\'')
			buf_string(out, "\u2019");
		else if (*help != '\\')
			buf_byte(out, (uint8_t)*help);
	}
	buf_byte(out, '\n');
}

static void
put_row(struct buf *out, const char *mode, const struct opt *row)
{
	if (row->type == OPT_REFUSED || !row->help)
		return;
	buf_printf(out, "%s\t", mode);
	if (row->letter)
		buf_printf(out, "-%c", row->letter);
	buf_printf(out, "\t%s%s\t", row->name ? "--" : "",
		row->name ? row->name : "");
	put_kind(out, row);
	buf_byte(out, '\t');
	put_help(out, row->help);
}

static void
put_word(struct buf *out, const struct complete_word *w)
{
	const struct opt_group *g;
	const struct opt *row;

	buf_printf(out, "\t%s\t\t\t", w->name);
	put_help(out, w->summary);
	if (!w->groups) {
		buf_printf(out, "%s\t*\t\twords %s\n", w->name, w->arguments);
		return;
	}
	buf_printf(out, "%s\t*\t\t%s%s\n", w->name,
		strstr(w->arguments, "HOST") ? "host " : "",
		strstr(w->arguments, "FILE") ? "file" : "");
	for (g = w->groups; g->rows; g++) {
		for (row = g->rows; row->name || row->letter; row++)
			put_row(out, w->name, row);
	}
	buf_printf(out, "%s\t-h\t--help\t\thelp\n", w->name);
}

int
complete_script(
	struct buf *out, const char *shell, const struct complete_word *words)
{
	static const struct {
		const char *name, *begin, *arguments, *end, *script;
	} shells[] = {
		{ "bash", "_sockctl_words() {",
			"mode=\"$1\" prev=\"$2\" cur=\"$3\" -", "}", bash },
		{ "zsh", "#compdef sockctl\n_sockctl_words() {",
			"mode=\"$1\" prev=\"$2\" cur=\"$3\" -", "}", zsh },
		{ "fish", "function _sockctl_words",
			"mode=\"$argv[1]\" prev=\"$argv[2]\" "
			"cur=\"$argv[3]\" -",
			"end", fish },
	};
	size_t i;

	for (i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		if (strcmp(shells[i].name, shell) == 0)
			break;
	}
	if (i == sizeof shells / sizeof shells[0])
		return -1;
	buf_printf(out, "%s\n\tprintf '%%s' '", shells[i].begin);
	for (; words->name; words++)
		put_word(out, words);
	buf_printf(out, "' | awk '%s' \\\n", engine);
	buf_printf(out, "\t\t%s\n%s\n%s", shells[i].arguments, shells[i].end,
		shells[i].script);
	return 0;
}
