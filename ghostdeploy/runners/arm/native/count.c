/* A plugin for qemu-user 7: counts the guest's instructions, and says where they went.
 *
 * The guest marks points of its run by hint instructions that every CPU ignores (run_model.c).
 * At each mark a line goes to COUNTS_FILE in the working directory:
 *
 *     MARK MULTIPLY_ACCUMULATE LOAD STORE OTHER
 *
 * with the counts since the start, all of one thread. The last two lines are of the end: the mark
 * "exit", and "memory BYTES", the most anonymous memory that the guest held at once, by its mmap,
 * munmap, mremap and brk.
 *
 * Counts are added block by block, which is exact to a block at a mark: the same few instructions
 * each time.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Debian's qemu-user ships no qemu-plugin.h; this is what is used of it, plugin API version 1. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*at_block)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*at_instruction)(unsigned cpu, void *data);
typedef void (*at_exit)(qemu_plugin_id_t, void *data);
typedef void (*at_syscall)(qemu_plugin_id_t, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2,
                           uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                           uint64_t a8);
typedef void (*at_return)(qemu_plugin_id_t, unsigned cpu, int64_t number, int64_t result);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, at_block);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *,
                                              uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, at_instruction,
                                            enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, at_syscall);
void qemu_plugin_register_vcpu_syscall_ret_cb(qemu_plugin_id_t, at_return);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, at_exit, void *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static const char COUNTS_FILE[] = "counts.txt";

/* HINT #112 … #116 (Arm ARM, C6.2: unallocated hints execute as NOP). */
static const uint32_t HINT = 0xD503201F, FIRST_MARK = 112;
static const char *const MARKS[] = {"begin", "end", "op-begin", "op-end", "clock"};

/* System call numbers of 64-bit Arm Linux (asm-generic/unistd.h). */
enum { BRK = 214, MUNMAP = 215, MREMAP = 216, MMAP = 222 };
enum { MAP_ANONYMOUS = 0x20 };

enum kind { MULTIPLY_ACCUMULATE, LOAD, STORE, OTHER, KINDS };
static uint64_t counts[KINDS];
static FILE *out;

/* Vector and scalar multiply-accumulate of the "Advanced SIMD and floating point" group, by the
 * encoding tables of the Arm ARM, C4.1: mask, value. */
static const uint32_t MULTIPLY_ACCUMULATES[][2] = {
    {0xBFA0FC00, 0x0E20CC00}, /* FMLA vector, single and double */
    {0xBFA0FC00, 0x0EA0CC00}, /* FMLS vector */
    {0xBFE0FC00, 0x0E400C00}, /* FMLA vector, half */
    {0xBFE0FC00, 0x0EC00C00}, /* FMLS vector, half */
    {0xBF80B400, 0x0F801000}, /* FMLA, FMLS by element, single and double: bit 14 tells which */
    {0xBFC0B400, 0x0F001000}, /* FMLA, FMLS by element, half */
    {0x9F20FC00, 0x0E209400}, /* MLA, MLS vector */
    {0xBF00B400, 0x2F000000}, /* MLA, MLS by element */
    {0x9F20DC00, 0x0E208000}, /* SMLAL, UMLAL, SMLSL, UMLSL: bit 13 tells which */
    {0x9F00B400, 0x0F002000}, /* the same by element */
    {0x9F20FC00, 0x0E009400}, /* SDOT, UDOT vector */
    {0x9F00F400, 0x0F00E000}, /* SDOT, UDOT by element */
    {0xBFE0FC00, 0x0E809C00}, /* USDOT */
    {0x9F20FC00, 0x0E00A400}, /* SMMLA, UMMLA */
    {0xFF000000, 0x1F000000}, /* FMADD, FMSUB, FNMADD, FNMSUB */
};

static bool is_multiply_accumulate(uint32_t code) {
  for (size_t i = 0; i < sizeof MULTIPLY_ACCUMULATES / sizeof *MULTIPLY_ACCUMULATES; i++)
    if ((code & MULTIPLY_ACCUMULATES[i][0]) == MULTIPLY_ACCUMULATES[i][1]) return true;
  return false;
}

/* The group "Loads and Stores" has bit 27 set and bit 25 clear (Arm ARM, C4.1). */
static enum kind load_or_store(uint32_t code) {
  bool vector = code >> 26 & 1;
  if ((code & 0x3B000000) == 0x18000000) return LOAD;  /* literal */
  if ((code & 0x3A000000) == 0x28000000 || (code & 0xBE000000) == 0x0C000000 ||
      (code & 0x3F000000) == 0x08000000)               /* pairs, structures, exclusives: L */
    return code >> 22 & 1 ? LOAD : STORE;
  uint32_t opc = code >> 22 & 3;                       /* one register */
  if (vector) return opc & 1 ? LOAD : STORE;
  return opc ? LOAD : STORE;
}

static enum kind kind_of(uint32_t code) {
  if ((code & 0x0A000000) == 0x08000000) return load_or_store(code);
  return is_multiply_accumulate(code) ? MULTIPLY_ACCUMULATE : OTHER;
}

static void snapshot(const char *mark) {
  fprintf(out, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", mark,
          counts[MULTIPLY_ACCUMULATE], counts[LOAD], counts[STORE], counts[OTHER]);
}

static void at_mark(unsigned cpu, void *mark) { snapshot(mark); }

static const char *mark_of(uint32_t code) {
  uint32_t number = (code >> 5 & 0x7F) - FIRST_MARK;
  bool is_hint = (code & ~(0x7Fu << 5)) == HINT;
  return is_hint && number < sizeof MARKS / sizeof *MARKS ? MARKS[number] : NULL;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  uint64_t inside[KINDS] = {0};
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint32_t code;
    memcpy(&code, qemu_plugin_insn_data(instruction), sizeof code);
    inside[kind_of(code)]++;
    const char *mark = mark_of(code);
    if (mark)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_mark, QEMU_PLUGIN_CB_NO_REGS,
                                             (void *)mark);
  }
  for (int kind = 0; kind < KINDS; kind++)
    if (inside[kind])
      qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &counts[kind],
                                               inside[kind]);
}

/* Anonymous memory of the guest, in bytes; file mappings (the model, libraries) are not counted. */
static uint64_t held, most_held, heap_start, heap_end;
static uint64_t asked_bytes, asked_old_bytes;
static bool asked_anonymous;

static void hold(int64_t bytes) {
  held += bytes;
  if (held + heap_end - heap_start > most_held) most_held = held + heap_end - heap_start;
}

static void system_call(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2,
                        uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                        uint64_t a8) {
  asked_bytes = number == MREMAP ? a3 : a2;
  asked_old_bytes = a2;
  asked_anonymous = a4 & MAP_ANONYMOUS;
}

static void system_call_returned(qemu_plugin_id_t id, unsigned cpu, int64_t number,
                                 int64_t result) {
  if (result < 0 && result > -4096) return;
  if (number == MMAP && asked_anonymous) hold(asked_bytes);
  if (number == MUNMAP) hold(-(int64_t)(asked_bytes < held ? asked_bytes : held));
  if (number == MREMAP) hold((int64_t)asked_bytes - (int64_t)asked_old_bytes);
  if (number == BRK) {
    if (!heap_start) heap_start = result;
    heap_end = result;
    hold(0);
  }
}

static void finished(qemu_plugin_id_t id, void *data) {
  snapshot("exit");
  fprintf(out, "memory %" PRIu64 "\n", most_held);
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const void *info, int argc,
                                                               char **argv) {
  out = fopen(COUNTS_FILE, "w");
  if (!out) {
    perror(COUNTS_FILE);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, system_call);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, system_call_returned);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
