/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of the SDK that a patch module was built with, for use in #if.
 */
#ifndef _KLP_SDK_VERSION_H
#define _KLP_SDK_VERSION_H

#define KLP_SDK_MAJOR		0
#define KLP_SDK_MINOR		1

/**
 * KLP_SDK_VERSION() - A release of the SDK as a number that #if can compare
 * @major:	major release
 * @minor:	minor release
 *
 * Return: an integer constant that grows with every release.
 */
#define KLP_SDK_VERSION(major, minor)	(((major) << 16) + (minor))

/** define KLP_SDK_VERSION_CODE - The release of these headers */
#define KLP_SDK_VERSION_CODE	KLP_SDK_VERSION(KLP_SDK_MAJOR, KLP_SDK_MINOR)

#endif /* _KLP_SDK_VERSION_H */
