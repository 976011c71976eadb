// SPDX-License-Identifier: GPL-2.0
/* Is named by its whole path. */
int elsewhere(void)
{
	return forbidden(1);
}
