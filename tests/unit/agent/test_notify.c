/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void tells_whom_it_may_concern(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char name[64];
	char got[64] = "";
	int len;

	(void)state;
	/* an abstract name, as systemd gives to some */
	len = snprintf(name, sizeof(name), "@mrd-test-notify-%d", getpid());
	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(mrd_notify("READY=1"), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
	close(fd);
	assert_int_equal(mrd_notify("READY=1"), -ECONNREFUSED);
}

static void nobody_need_listen(void **state)
{
	char name[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(mrd_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	assert_int_equal(mrd_notify("READY=1"), 0);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(mrd_notify("READY=1"), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_whom_it_may_concern),
		cmocka_unit_test(nobody_need_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
