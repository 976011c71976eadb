/* SPDX-License-Identifier: GPL-2.0 */
extern int smoke_param;
