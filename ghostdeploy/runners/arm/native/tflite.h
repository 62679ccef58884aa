/* How run_model.c and benchmark_model.c reach LiteRT: what is used of TFLite's C API, of its telemetry profiler and of its XNNPACK delegate
 * (tensorflow/lite/c/c_api.h, …/profiling/telemetry/c/profiler.h, …/xnnpack_delegate.h); the wheel
 * ships the library without them. */
#include <stdint.h>
#include <string.h>

typedef struct TfLiteModel TfLiteModel;
typedef struct TfLiteInterpreter TfLiteInterpreter;
typedef struct TfLiteInterpreterOptions TfLiteInterpreterOptions;
typedef struct TfLiteTensor TfLiteTensor;
typedef struct TfLiteDelegate TfLiteDelegate;
typedef struct Profiler {
  void *data;
  void (*event)(struct Profiler *, const char *, uint64_t);
  void (*op_event)(struct Profiler *, const char *, int64_t, int64_t, uint64_t);
  void (*settings)(struct Profiler *, const char *, const void *);
  uint32_t (*op_begins)(struct Profiler *, const char *name, int64_t op, int64_t subgraph);
  void (*op_ends)(struct Profiler *, uint32_t handle);
  void (*op_took)(struct Profiler *, const char *name, uint64_t us, int64_t op, int64_t subgraph);
} Profiler;
typedef struct {
  int32_t num_threads;
  uint32_t runtime_flags;
  uint32_t flags;
  char rest[500]; /* more than any version has */
} XNNPackOptions;
enum { FLOAT32 = 1, FORCE_FP16 = 4 };

TfLiteModel *TfLiteModelCreateFromFile(const char *);
TfLiteInterpreterOptions *TfLiteInterpreterOptionsCreate(void);
void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions *, int32_t);
void TfLiteInterpreterOptionsAddDelegate(TfLiteInterpreterOptions *, TfLiteDelegate *);
void TfLiteInterpreterOptionsSetTelemetryProfiler(TfLiteInterpreterOptions *, Profiler *);
TfLiteInterpreter *TfLiteInterpreterCreate(const TfLiteModel *, const TfLiteInterpreterOptions *);
int TfLiteInterpreterAllocateTensors(TfLiteInterpreter *);
int TfLiteInterpreterInvoke(TfLiteInterpreter *);
int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter *);
int32_t TfLiteInterpreterGetOutputTensorCount(const TfLiteInterpreter *);
TfLiteTensor *TfLiteInterpreterGetInputTensor(const TfLiteInterpreter *, int32_t);
const TfLiteTensor *TfLiteInterpreterGetOutputTensor(const TfLiteInterpreter *, int32_t);
int TfLiteTensorType(const TfLiteTensor *);
void *TfLiteTensorData(const TfLiteTensor *);
size_t TfLiteTensorByteSize(const TfLiteTensor *);
XNNPackOptions TfLiteXNNPackDelegateOptionsDefault(void);
TfLiteDelegate *TfLiteXNNPackDelegateCreate(const XNNPackOptions *);

static TfLiteDelegate *xnnpack(uint32_t flags) {
  XNNPackOptions options = TfLiteXNNPackDelegateOptionsDefault();
  options.num_threads = 1;
  options.flags |= flags;
  return TfLiteXNNPackDelegateCreate(&options);
}

/* A model ready to run in one thread. kernels is builtin, xnnpack or fp16, profiler may be NULL.
 * NULL, and the reason, for a file that is no model or not one for this runtime. */
static TfLiteInterpreter *open_model(const char *path, const char *kernels, Profiler *profiler,
                                     const char **why) {
  TfLiteModel *model = TfLiteModelCreateFromFile(path);
  *why = "not a TFLite model";
  if (!model) return NULL;
  TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  if (strcmp(kernels, "builtin") != 0)
    TfLiteInterpreterOptionsAddDelegate(
        options, xnnpack(strcmp(kernels, "fp16") == 0 ? FORCE_FP16 : 0));
  if (profiler) TfLiteInterpreterOptionsSetTelemetryProfiler(options, profiler);
  TfLiteInterpreter *interpreter = TfLiteInterpreterCreate(model, options);
  *why = "the runtime does not take this model";
  return interpreter && !TfLiteInterpreterAllocateTensors(interpreter) ? interpreter : NULL;
}
