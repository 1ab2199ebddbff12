/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program on a node of the lab: in its network namespace, and with the node's own files in
 * place of the real machine's. They are bind mounts in a mount namespace of the program's own, so
 * they go when it does. Tests start programs by the thousand; a shell, and mount(8) for each file,
 * took longer than most of what they were started for.
 *
 *   enter NETNS [FROM TO]... -- PROGRAM [ARGUMENT]...
 *
 * Each existing TO is covered by FROM.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void join(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || setns(fd, CLONE_NEWNET) == -1)
		err(1, "%s", netns);
	close(fd);
	/* Mounts of the real machine still come in here, but ours do not go out. */
	if (unshare(CLONE_NEWNS) == -1 || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) == -1)
		err(1, "mount namespace");
	/* /sys/class/net shows the interfaces of the namespace that it was mounted in. */
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) == -1)
		err(1, "/sys");
}

int main(int argc, char **argv)
{
	int i = 2;

	if (argc < 4)
		errx(2, "usage: enter netns [from to]... -- program [argument]...");
	join(argv[1]);
	for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		if (access(argv[i + 1], F_OK) == 0 &&
		    mount(argv[i], argv[i + 1], NULL, MS_BIND, NULL) == -1)
			err(1, "%s in place of %s", argv[i], argv[i + 1]);
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0)
		errx(2, "no program to run");
	if (chdir("/") == -1)
		err(1, "/");
	execvp(argv[i + 1], argv + i + 1);
	err(127, "%s", argv[i + 1]);
}
