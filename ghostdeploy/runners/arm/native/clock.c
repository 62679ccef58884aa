/* What the emulator tells a program of the time and of its memory: loaded into it (LD_PRELOAD).
 *
 * A program that is not ours prints what it measures, and how many instructions that takes depends
 * on the digits. So its clock goes a microsecond a look, and the memory that this machine gave it
 * is always the same.
 */
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define PUBLIC __attribute__((visibility("default")))

static int64_t next_us(void) {
  static int64_t looks;
  return __atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *now) {
  int64_t us = next_us();
  now->tv_sec = us / 1000000;
  now->tv_nsec = us % 1000000 * 1000;
  return 0;
}

PUBLIC int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int64_t us = next_us();
  now->tv_sec = us / 1000000;
  now->tv_usec = us % 1000000;
  return 0;
}

PUBLIC int getrusage(__rusage_who_t who, struct rusage *used) {
  memset(used, 0, sizeof *used);
  used->ru_maxrss = 1 << 15; /* kB */
  return 0;
}
