/* A stand-in for TFLite's benchmark_model on 64-bit Arm Linux, for tests: it takes the flags that
 * runners/arm/program.py gives, runs the model for real, and prints what the program of LiteRT
 * 2.1.0 prints. It has one input file at most, reports no memory and profiles nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tflite.h"

typedef struct {
  const char *name;
  const char *value;
} Flag;

static Flag flags[] = {
    {"graph", ""}, {"num_threads", "-1"}, {"num_runs", "50"}, {"warmup_runs", "1"},
    {"min_secs", "1"}, {"warmup_min_secs", "0.5"}, {"use_xnnpack", "true"},
    {"xnnpack_force_fp16", "false"}, {"input_layer", ""}, {"input_layer_shape", ""},
    {"input_layer_value_files", ""}, {"output_filepath", ""},
};
enum { FLAGS = sizeof flags / sizeof *flags };

static const char *flag(const char *name) {
  for (int i = 0; i < FLAGS; i++)
    if (strcmp(flags[i].name, name) == 0) return flags[i].value;
  abort();
}

static int on(const char *name) { return strcmp(flag(name), "true") == 0; }

static int set_flag(char *word) {
  char *value = strchr(word, '=');
  if (strncmp(word, "--", 2) != 0 || !value) return 0;
  for (int i = 0; i < FLAGS; i++)
    if (strlen(flags[i].name) == (size_t)(value - word - 2) &&
        strncmp(flags[i].name, word + 2, value - word - 2) == 0) {
      flags[i].value = value + 1;
      return 1;
    }
  return 0;
}

static void fail(const char *what) {
  fprintf(stderr, "ERROR: %s\nERROR: Benchmarking failed.\n", what);
  exit(1);
}

static long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void fill(TfLiteTensor *tensor) {
  const char *path = strchr(flag("input_layer_value_files"), ':');
  if (!path) {
    memset(TfLiteTensorData(tensor), 0, TfLiteTensorByteSize(tensor));
    return;
  }
  FILE *file = fopen(path + 1, "rb");
  size_t bytes = TfLiteTensorByteSize(tensor);
  if (!file || fread(TfLiteTensorData(tensor), 1, bytes, file) != bytes)
    fail("the input file cannot be read");
  fclose(file);
}

static void save(const TfLiteInterpreter *interpreter) {
  if (!*flag("output_filepath")) return;
  FILE *file = fopen(flag("output_filepath"), "wb");
  if (!file) fail("the output file cannot be written");
  for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter); i++) {
    const TfLiteTensor *tensor = TfLiteInterpreterGetOutputTensor(interpreter, i);
    fwrite(TfLiteTensorData(tensor), 1, TfLiteTensorByteSize(tensor), file);
  }
  fclose(file);
}

/* The average in microseconds of count runs; *first is the first's. */
static double run(TfLiteInterpreter *interpreter, int count, long *first) {
  printf("INFO: Running benchmark for at least %d iterations and at least 0 seconds but terminate"
         " if exceeding 150 seconds.\n", count);
  long sum = 0, least = 0, most = 0, took = 0;
  for (int i = 0; i < count; i++) {
    long start = now_us();
    if (TfLiteInterpreterInvoke(interpreter)) fail("Failed to invoke!");
    took = now_us() - start;
    sum += took;
    if (i == 0) *first = took;
    if (i == 0 || took < least) least = took;
    if (i == 0 || took > most) most = took;
  }
  if (least == most)
    printf("INFO: count=%d curr=%ld%s\n\n", count, took, count > 1 ? "(all same)" : "");
  else
    printf("INFO: count=%d first=%ld curr=%ld min=%ld max=%ld avg=%g std=0\n\n", count, *first,
           took, least, most, (double)sum / count);
  return (double)sum / count;
}

int main(int argc, char **argv) {
  printf("INFO: STARTING!\n");
  for (int i = 1; i < argc; i++)
    if (!set_flag(argv[i])) printf("WARN: Unconsumed cmdline flags: %s\n", argv[i]);
  printf("INFO: Graph: [%s]\n", flag("graph"));
  const char *why;
  const char *kernels = !on("use_xnnpack") ? "builtin" : on("xnnpack_force_fp16") ? "fp16" : "xnnpack";
  long start = now_us(), first = 0, unused;
  TfLiteInterpreter *interpreter = open_model(flag("graph"), kernels, NULL, &why);
  if (!interpreter) fail(why);
  long init = now_us() - start;
  printf("INFO: Initialized session in %gms.\n", init / 1e3);
  for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter); i++)
    fill(TfLiteInterpreterGetInputTensor(interpreter, i));
  double warm = run(interpreter, atoi(flag("warmup_runs")), &first);
  double average = run(interpreter, atoi(flag("num_runs")), &unused);
  printf("INFO: Inference timings in us: Init: %ld, First inference: %ld, Warmup (avg): %g,"
         " Inference (avg): %g\n", init, first, warm, average);
  save(interpreter);
  return 0;
}
