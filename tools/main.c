/* SPDX-License-Identifier: BSD-3-Clause */
/* The wye command; all of it is in wye.c, so that tests can call it. */
#include "wye.h"

int main(int argc, char **argv)
{
	return wye_run(argc, argv, stdout);
}
