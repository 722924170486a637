/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Getting a file's text, and asking a document tree; building the tree is doc_parse.c's part. */
#include "base/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/doc_file.h"

static const char late_mark[] = "\n\xef\xbb\xbf";

enum {
	MARK_LEN = 3,
	NUMBER_ROOM = 512, /* what is longer is no number that anybody writes */
	FILE_ROOM_MIN = 4096,
	FILE_MAX = 256 * 1024 * 1024, /* ten times the manifests of 100,000 endpoints */
};

/* libyaml passes over a byte-order mark that begins a line, as where files were put together, but
 * counts it: a "---" behind it would be in the second column, where it begins no document, and a
 * document's first key would stand deeper than its others. NULL: without memory. */
static char *drop_marks(const char *text, size_t len, size_t *ret_len)
{
	char *copy = malloc(len);
	const char *end = text + len;
	const char *mark;
	size_t done = 0;

	if (!copy)
		return NULL;
	while ((mark = memmem(text, (size_t)(end - text), late_mark, sizeof(late_mark) - 1))) {
		memcpy(copy + done, text, (size_t)(mark + 1 - text)); /* with its line feed */
		done += (size_t)(mark + 1 - text);
		text = mark + 1 + MARK_LEN;
	}
	memcpy(copy + done, text, (size_t)(end - text));
	*ret_len = done + (size_t)(end - text);
	return copy;
}

int mrd_doc_parse(const char *file, const char *text, size_t len, struct mrd_diag *diag,
		  struct mrd_doc_file **ret_file)
{
	MRD_AUTO_FREE char *plain = NULL;
	struct mrd_doc_file *doc;
	int ret;

	if (len && memmem(text, len, late_mark, sizeof(late_mark) - 1)) {
		plain = drop_marks(text, len, &len);
		if (!plain)
			return -ENOMEM;
		text = plain;
	}
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return -ENOMEM;
	doc->name = mrd_arena_copy(&doc->arena, file, strlen(file));
	ret = doc->name ? mrd_doc_parse_events(doc, text, len, diag) : -ENOMEM;
	if (ret < 0 && ret != -EBADMSG) {
		mrd_doc_free(doc);
		return ret;
	}
	*ret_file = doc;
	return ret;
}

/* Reads to the end: the size that stat tells may be old, or 0 (a pipe). */
static int read_all(int fd, char **ret_text, size_t *ret_len)
{
	MRD_AUTO_FREE char *text = NULL;
	struct stat info;
	size_t room = FILE_ROOM_MIN;
	size_t len = 0;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (info.st_size > FILE_MAX)
		return -EFBIG;
	if ((size_t)info.st_size >= room)
		room = (size_t)info.st_size + 1; /* one more, to meet the end in the same pass */
	for (;;) {
		char *grown = text;
		ssize_t got;

		if (!text || len == room) {
			room *= text ? 2 : 1;
			grown = realloc(text, room);
		}
		if (!grown)
			return -ENOMEM;
		text = grown;
		got = read(fd, text + len, room - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		len += (size_t)got;
		if (len > FILE_MAX)
			return -EFBIG;
	}
	*ret_text = MRD_STEAL_PTR(text);
	*ret_len = len;
	return 0;
}

int mrd_doc_read(const char *path, struct mrd_diag *diag, struct mrd_doc_file **ret_file)
{
	MRD_AUTO_FREE char *text = NULL;
	MRD_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	int ret;

	if (fd < 0)
		return -errno;
	ret = read_all(fd, &text, &len);
	if (ret < 0)
		return ret;
	return mrd_doc_parse(path, text, len, diag, ret_file);
}

void mrd_doc_free(struct mrd_doc_file *file)
{
	if (!file)
		return;
	mrd_arena_free(&file->arena);
	free(file->roots);
	free(file);
}

bool mrd_doc_is_file_name(const char *name)
{
	static const char *const endings[] = {".yaml", ".yml", ".json"};
	const size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const size_t ending_len = strlen(endings[i]);

		if (len > ending_len && !strcmp(name + len - ending_len, endings[i]))
			return true;
	}
	return false;
}

const char *mrd_doc_name(const struct mrd_doc_file *file)
{
	return file->name;
}

size_t mrd_doc_count(const struct mrd_doc_file *file)
{
	return file->count;
}

const struct mrd_doc_node *mrd_doc_root(const struct mrd_doc_file *file, size_t index)
{
	const struct mrd_doc_node *root = index < file->count ? file->roots[index] : NULL;

	return root && root->kind != MRD_DOC_NULL ? root : NULL;
}

const struct mrd_doc_node *mrd_doc_get(const struct mrd_doc_node *map, const char *key)
{
	if (!map || map->kind != MRD_DOC_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

int mrd_doc_string(const struct mrd_doc_node *node, const char **ret_text)
{
	if (!node || node->kind != MRD_DOC_SCALAR)
		return -EINVAL;
	*ret_text = node->text;
	return 0;
}

/* YAML 1.1, which kubectl reads, has "_" between digits. What is no such number stays as it is. */
static const char *drop_underscores(const char *text, char plain[NUMBER_ROOM])
{
	const char *digits = text + (*text == '-' || *text == '+');
	size_t len = 0;

	if (!strchr(text, '_') || *digits == '_' || strlen(text) >= NUMBER_ROOM)
		return text;
	for (; *text; text++)
		if (*text != '_')
			plain[len++] = *text;
	plain[len] = '\0';
	return plain;
}

/* Decimal, or 0x and 0o as in YAML 1.2. A leading zero is refused: YAML 1.1 reads it as octal. */
int mrd_doc_int(const struct mrd_doc_node *node, int64_t *ret_number)
{
	const char *digits;
	char plain[NUMBER_ROOM];
	bool negative;
	int base = 10;
	uint64_t number = 0;

	if (!node || node->kind != MRD_DOC_SCALAR || node->quoted)
		return -EINVAL;
	digits = drop_underscores(node->text, plain);
	negative = *digits == '-';
	if (*digits == '-' || *digits == '+')
		digits++;
	if (digits[0] == '0' && digits[1])
		base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 0;
	if (!base)
		return -EINVAL;
	digits += base == 10 ? 0 : 2;
	if (!*digits || digits[strspn(digits, base == 16  ? "0123456789abcdefABCDEF"
					      : base == 8 ? "01234567"
							  : "0123456789")])
		return -EINVAL;
	errno = 0;
	number = strtoull(digits, NULL, base);
	if (errno || number > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret_number = negative ? (int64_t)(0 - number) : (int64_t)number;
	return 0;
}

/* Digits, a point, an exponent; YAML 1.1 has "1." and ".5" too. */
static bool is_decimal(const char *text)
{
	static const char digits[] = "0123456789";
	size_t whole, part = 0;

	text += *text == '-' || *text == '+';
	whole = strspn(text, digits);
	text += whole;
	if (*text == '.') {
		part = strspn(text + 1, digits);
		text += part + 1;
	}
	if (!whole && !part)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		whole = strspn(text, digits);
		if (!whole)
			return false;
		text += whole;
	}
	return !*text;
}

static bool is_based(const char *text)
{
	static const struct {
		const char *prefix;
		const char *digits;
	} bases[] = {
		{"0x", "0123456789abcdefABCDEF"},
		{"0o", "01234567"},
		{"0b", "01"},
	};

	text += *text == '-' || *text == '+';
	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++)
		if (!strncasecmp(text, bases[i].prefix, 2) && text[2] &&
		    !text[2 + strspn(text + 2, bases[i].digits)])
			return true;
	return false;
}

static bool is_one_of(const char *text, const char *const *forms)
{
	while (*forms && strcmp(text, *forms) != 0)
		forms++;
	return *forms;
}

bool mrd_doc_is_number(const struct mrd_doc_node *node)
{
	static const char *const odd[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
					  "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
					  ".NaN",  ".NAN",  NULL};
	char plain[NUMBER_ROOM] = "";
	size_t len = 0;

	if (!node || node->kind != MRD_DOC_SCALAR || node->quoted)
		return false;
	for (const char *at = node->text; *at; at++) {
		if (*at == '_' && at != node->text)
			continue;
		if (len + 1 == sizeof(plain))
			return false;
		plain[len++] = *at;
	}
	plain[len] = '\0';
	return is_decimal(plain) || is_based(plain) || is_one_of(plain, odd);
}

int mrd_doc_bool(const struct mrd_doc_node *node, bool *ret_flag)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
					  "y",	  "Y",	  "on",	  "On",	 "ON",	NULL};
	static const char *const no[] = {"false", "False", "FALSE", "no",  "No",  "NO",
					 "n",	  "N",	   "off",   "Off", "OFF", NULL};

	if (!node || node->kind != MRD_DOC_SCALAR || node->quoted)
		return -EINVAL;
	if (!is_one_of(node->text, yes) && !is_one_of(node->text, no))
		return -EINVAL;
	*ret_flag = is_one_of(node->text, yes);
	return 0;
}
