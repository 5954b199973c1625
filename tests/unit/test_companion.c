/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which netdevs a VF may stand beside, of machines that are only files: the PF and the uplinks of its switch may be, other
 * NICs, representors of functions and software netdevs may not.
 *
 *	0000:01:00.0 PF "eth1"			0000:03:00.0 PF "p0", in switchdev mode
 *	0000:01:10.0 its VF			0000:03:00.1 "p1", another wire of the same switch
 *	0000:02:00.0 another NIC "eth2"		0000:03:02.0 its VF, with representor "rep0"
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wye_device.h"
#include "wye_map.h"

#define VF	    "0000:01:10.0"
#define SWITCHED_VF "0000:03:02.0"

static char top[64];
static const struct wye_sysroot root = { top };

/* ---- the machine ---- */

static void path_of(char path[WYE_SYS_PATH_BYTES], const char *name)
{
	assert_int_equal(wye_sys_path(&root, path, "/sys/%s", name), 0);
	for (char *at = path + strlen(top) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*at = '/';
	}
}

static void file(const char *name, const char *text)
{
	char path[WYE_SYS_PATH_BYTES];
	FILE *out;

	path_of(path, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fprintf(out, "%s\n", text) > 0);
	assert_int_equal(fclose(out), 0);
}

static void leads(const char *name, const char *to)
{
	char path[WYE_SYS_PATH_BYTES];

	path_of(path, name);
	assert_int_equal(symlink(to, path), 0);
}

/* pf: of which it is a VF, or NULL */
static void pci(const char *address, const char *pf)
{
	char name[128], to[128];

	snprintf(name, sizeof(name), "devices/%s/class", address);
	file(name, "0x020000");
	snprintf(name, sizeof(name), "devices/%s/subsystem", address);
	leads(name, "../../bus/pci");
	snprintf(name, sizeof(name), "bus/pci/devices/%s", address);
	snprintf(to, sizeof(to), "../../../devices/%s", address);
	leads(name, to);
	if (!pf)
		return;
	snprintf(name, sizeof(name), "devices/%s/physfn", address);
	snprintf(to, sizeof(to), "../%s", pf);
	leads(name, to);
}

static void port_names(const char *dir, const char *port, const char *sw)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/phys_port_name", dir);
	if (port)
		file(name, port);
	snprintf(name, sizeof(name), "%s/phys_switch_id", dir);
	if (sw)
		file(name, sw);
}

/* address: the device below it, NULL = software */
static void netdev(const char *netdev, const char *address, const char *port, const char *sw)
{
	char dir[96], name[128], to[128];

	snprintf(dir, sizeof(dir), "devices/%s/net/%s", address ? address : "virtual", netdev);
	snprintf(name, sizeof(name), "%s/mtu", dir);
	file(name, "1500");
	port_names(dir, port, sw);
	snprintf(name, sizeof(name), "class/net/%s", netdev);
	snprintf(to, sizeof(to), "../../%s", dir);
	leads(name, to);
	snprintf(name, sizeof(name), "%s/device", dir);
	if (address)
		leads(name, "../..");
}

static int build(void **state)
{
	strcpy(top, "/tmp/wye-companion.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	pci("0000:01:00.0", NULL);
	pci(VF, "0000:01:00.0");
	pci("0000:02:00.0", NULL);
	netdev("eth1", "0000:01:00.0", NULL, NULL);
	netdev("eth2", "0000:02:00.0", NULL, NULL);
	netdev("br0", NULL, NULL, NULL);

	pci("0000:03:00.0", NULL);
	pci("0000:03:00.1", NULL);
	pci(SWITCHED_VF, "0000:03:00.0");
	netdev("p0", "0000:03:00.0", "p0", "deadbeef");
	netdev("a_rep0", "0000:03:00.0", "pf0vf0", "deadbeef"); /* the first by name */
	netdev("rep_ice", "0000:03:00.0", "pf0vfr0", "deadbeef");
	netdev("rep_far", "0000:03:00.0", "c1pf0sf3", "deadbeef");
	netdev("p1", "0000:03:00.1", "p1", "deadbeef");
	netdev("elsewhere", "0000:02:00.0", "p0", "cafe");
	netdev("odd", "0000:03:00.1", "port1", "deadbeef");
	return 0;
}

static int unlink_one(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
	return remove(path);
}

static int destroy(void **state)
{
	return nftw(top, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is asked of it ---- */

static int ask(const char *address, const char *netdev, bool *switched, char *why)
{
	struct wye_device device;

	assert_int_equal(wye_device_read(&root, WYE_BUS_PCI, address, &device, why), 0);
	return wye_device_companion(&root, &device, netdev, switched, why);
}

static void may(const char *address, const char *netdev, bool expected)
{
	char why[WYE_WHY_BYTES] = "";
	bool switched = !expected;

	if (ask(address, netdev, &switched, why))
		fail_msg("%s beside %s: %s", address, netdev, why);
	assert_int_equal(switched, expected);
}

static void may_not(const char *address, const char *netdev, const char *what, const char *instead)
{
	char why[WYE_WHY_BYTES] = "";
	bool switched;

	assert_int_equal(ask(address, netdev, &switched, why), -EINVAL);
	if (!strstr(why, what) || !strstr(why, instead))
		fail_msg("%s beside %s: \"%s\" lacks \"%s\" or \"%s\"", address, netdev, why, what, instead);
}

static void beside_its_pf(void **state)
{
	may(VF, "eth1", false);
}

static void beside_another(void **state)
{
	may_not(VF, "eth2", "eth2 is neither " VF "'s PF nor an uplink", "give the port eth1, or a name that no netdev has");
	may_not(VF, "br0", "br0 is neither", "eth1");
	may_not(VF, "p0", "p0 is neither", "eth1");
	may_not(VF, "nothing", "nothing is neither", "eth1");
}

static void of_a_switch(void **state)
{
	may(SWITCHED_VF, "p0", true);
	may(SWITCHED_VF, "p1", true);
	may_not(SWITCHED_VF, "elsewhere", "elsewhere is neither", "p0");
	may_not(SWITCHED_VF, "odd", "odd is neither", "p0");
	may_not(SWITCHED_VF, "eth1", "eth1 is neither", "p0");
}

static void beside_a_representor(void **state)
{
	may_not(SWITCHED_VF, "a_rep0", "a_rep0 is a representor (pf0vf0)", "give the port p0, or");
	may_not(SWITCHED_VF, "rep_ice", "is a representor (pf0vfr0)", "p0");
	may_not(SWITCHED_VF, "rep_far", "is a representor (c1pf0sf3)", "p0");
}

static void no_vf(void **state)
{
	may_not("0000:02:00.0", "eth2", "0000:02:00.0, which is no VF, is on no netdev's wire", "a name that no netdev has");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_its_pf), cmocka_unit_test(beside_another),	 cmocka_unit_test(of_a_switch),
		cmocka_unit_test(no_vf),	 cmocka_unit_test(beside_a_representor),
	};

	return cmocka_run_group_tests(tests, build, destroy);
}
