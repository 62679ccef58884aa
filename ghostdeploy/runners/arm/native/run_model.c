/* Runs a TFLite model on 64-bit Arm Linux, with marks for count.c around every inference.
 *
 *     run_model MODEL RUNS builtin|xnnpack|fp16 [profile]
 *
 * The inputs are pseudo-random: floats of 0 to 1, bytes of their whole range. Two inferences go
 * before the RUNS marked ones. Writes into the working directory, in the tensors' order:
 * inputs.bin and outputs.bin, raw values of all inputs and all outputs of the last run, and with
 * profile operators.txt, a line "SOURCE NAME" an operator of every inference: SOURCE is "marked"
 * for one that TFLite runs between two marks, "delegate" for one that XNNPACK reports after it.
 *
 * Exit codes: 2 usage, 3 not a model that can be run, 4 a run failed, 5 a file cannot be written.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tflite.h"

enum { WARM_UPS = 2 }; /* the builtin kernels still allocate in the second */

#define MARK(number) __asm__ volatile("hint #" #number ::: "memory")
#define BEGIN MARK(112)
#define END MARK(113)
#define OP_BEGIN MARK(114)
#define OP_END MARK(115)
#define CLOCK MARK(116)

/* The clock that the libraries see, too: a microsecond a look, so that nothing depends on how fast
 * the emulator is. XNNPACK looks at it after every operator that it profiles. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  static int64_t looks;
  CLOCK;
  looks++;
  now->tv_sec = looks / 1000000;
  now->tv_nsec = looks % 1000000 * 1000;
  return 0;
}

static FILE *operators;

static void fail(int code, const char *what) {
  fprintf(stderr, "run_model: %s\n", what);
  exit(code);
}

static FILE *opened(const char *name) {
  FILE *file = fopen(name, "wb");
  if (!file) fail(5, name);
  return file;
}

static uint32_t op_begins(Profiler *profiler, const char *name, int64_t op, int64_t subgraph) {
  fprintf(operators, "marked %s\n", name);
  OP_BEGIN;
  return 0;
}

static void op_ends(Profiler *profiler, uint32_t handle) { OP_END; }

static void op_took(Profiler *profiler, const char *name, uint64_t us, int64_t op,
                    int64_t subgraph) {
  fprintf(operators, "delegate %s\n", name);
}

static void ignore_event(Profiler *p, const char *name, uint64_t status) {}
static void ignore_op_event(Profiler *p, const char *n, int64_t o, int64_t s, uint64_t status) {}
static void ignore_settings(Profiler *p, const char *name, const void *settings) {}

static Profiler profiler = {
    .event = ignore_event,
    .op_event = ignore_op_event,
    .settings = ignore_settings,
    .op_begins = op_begins,
    .op_ends = op_ends,
    .op_took = op_took,
};

/* Numerical Recipes' linear congruential generator, 32 bits; the upper ones are used. */
static uint32_t next_random(void) {
  static uint32_t state = 1;
  return state = 1664525u * state + 1013904223u;
}

static void fill(TfLiteTensor *tensor) {
  size_t bytes = TfLiteTensorByteSize(tensor);
  if (TfLiteTensorType(tensor) == FLOAT32) {
    float *values = TfLiteTensorData(tensor);
    for (size_t i = 0; i < bytes / sizeof *values; i++)
      values[i] = (next_random() >> 8) / (float)(1 << 24);
  } else {
    unsigned char *values = TfLiteTensorData(tensor);
    for (size_t i = 0; i < bytes; i++) values[i] = next_random() >> 24;
  }
}

static void save(const TfLiteTensor *tensor, FILE *file) {
  if (fwrite(TfLiteTensorData(tensor), 1, TfLiteTensorByteSize(tensor), file) !=
      TfLiteTensorByteSize(tensor))
    fail(5, "the disk is full");
}

static void invoke(TfLiteInterpreter *interpreter) {
  if (TfLiteInterpreterInvoke(interpreter)) fail(4, "the run failed");
}

int main(int argc, char **argv) {
  if (argc < 4) fail(2, "MODEL RUNS builtin|xnnpack|fp16 [profile]");
  const char *kernels = argv[3], *why;
  if (strcmp(kernels, "builtin") && strcmp(kernels, "xnnpack") && strcmp(kernels, "fp16"))
    fail(2, "kernels are builtin, xnnpack or fp16");
  operators = opened("operators.txt");
  TfLiteInterpreter *interpreter = open_model(argv[1], kernels, argc > 4 ? &profiler : NULL, &why);
  if (!interpreter) fail(3, why);
  FILE *inputs = opened("inputs.bin"), *outputs = opened("outputs.bin");
  for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter); i++) {
    fill(TfLiteInterpreterGetInputTensor(interpreter, i));
    save(TfLiteInterpreterGetInputTensor(interpreter, i), inputs);
  }
  for (int run = 0; run < WARM_UPS; run++) invoke(interpreter);
  for (int run = atoi(argv[2]); run > 0; run--) {
    BEGIN;
    invoke(interpreter);
    END;
  }
  for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter); i++)
    save(TfLiteInterpreterGetOutputTensor(interpreter, i), outputs);
  if (fclose(inputs) | fclose(outputs) | fclose(operators)) fail(5, "the disk is full");
  _exit(0); /* destructors are not part of the measurement */
}
