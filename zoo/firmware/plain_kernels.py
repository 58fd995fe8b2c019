"""C99 functions that a network in plain C calls, one for each kind of operation."""

# name -> source, in the order in which they are written
KERNELS = {
    "activate": """
/* 1: RELU, 2: RELU6. */
static float activate(int kind, float x)
{
  if (kind && x < 0.0f)
    return 0.0f;
  return kind == 2 && x > 6.0f ? 6.0f : x;
}
""",
    "copy": """
/* A block of n[0] n[1] n[2] n[3] numbers between two tensors, each with its strides. */
static void copy(float *to, const int *ts, const float *from, const int *fs, const int *n)
{
  for (int a = 0; a < n[0]; a++)
    for (int b = 0; b < n[1]; b++)
      for (int c = 0; c < n[2]; c++)
        for (int d = 0; d < n[3]; d++)
          to[a * ts[0] + b * ts[1] + c * ts[2] + d * ts[3]] =
            from[a * fs[0] + b * fs[1] + c * fs[2] + d * fs[3]];
}
""",
    "zero": """
static void zero(float *to, int n)
{
  for (int i = 0; i < n; i++)
    to[i] = 0.0f;
}
""",
    "dense": """
static void dense(float *y, const float *x, const float *w, const float *bias, int rows, int in,
                  int out, int kind)
{
  for (int r = 0; r < rows; r++)
    for (int o = 0; o < out; o++) {
      float sum = 0.0f;
      for (int i = 0; i < in; i++)
        sum += x[r * in + i] * w[o * in + i];
      y[r * out + o] = activate(kind, bias ? sum + bias[o] : sum);
    }
}
""",
    "convolution": """
typedef struct {
  int rows, columns, channels;         /* of the input */
  int out_rows, out_columns, filters;  /* of the output */
  int height, width, depth;            /* of a filter; depth 0: each channel has its own filters */
  int row_step, column_step, row_dilation, column_dilation, above, left;
  int kind;
} window_shape;

static void convolve(float *y, const float *x, const float *w, const float *bias,
                     const window_shape *s)
{
  const int group = s->depth ? s->filters / (s->channels / s->depth) : s->filters / s->channels;
  for (int r = 0; r < s->out_rows; r++)
    for (int c = 0; c < s->out_columns; c++)
      for (int f = 0; f < s->filters; f++) {
        float sum = bias ? bias[f] : 0.0f;
        for (int i = 0; i < s->height; i++) {
          const int row = r * s->row_step + i * s->row_dilation - s->above;
          if (row < 0 || row >= s->rows)
            continue;
          for (int j = 0; j < s->width; j++) {
            const int column = c * s->column_step + j * s->column_dilation - s->left;
            if (column < 0 || column >= s->columns)
              continue;
            const float *from = x + (row * s->columns + column) * s->channels;
            if (s->depth) {
              const float *v = w + ((f * s->height + i) * s->width + j) * s->depth;
              const float *u = from + f / group * s->depth;
              for (int d = 0; d < s->depth; d++)
                sum += u[d] * v[d];
            } else {
              sum += from[f / group] * w[(i * s->width + j) * s->filters + f];
            }
          }
        }
        y[(r * s->out_columns + c) * s->filters + f] = activate(s->kind, sum);
      }
}
""",
    "mean": """
/* Mean over the middle axis of (outer, n, inner). */
static void mean(float *y, const float *x, int outer, int n, int inner)
{
  for (int a = 0; a < outer; a++)
    for (int c = 0; c < inner; c++) {
      float sum = 0.0f;
      for (int b = 0; b < n; b++)
        sum += x[(a * n + b) * inner + c];
      y[a * inner + c] = sum / (float)n;
    }
}
""",
    "highest": """
/* Maximum over the middle axis of (outer, n, inner). */
static void highest(float *y, const float *x, int outer, int n, int inner)
{
  for (int a = 0; a < outer; a++)
    for (int c = 0; c < inner; c++) {
      float most = x[a * n * inner + c];
      for (int b = 1; b < n; b++)
        most = x[(a * n + b) * inner + c] > most ? x[(a * n + b) * inner + c] : most;
      y[a * inner + c] = most;
    }
}
""",
    "length_one": """
/* Each row of n numbers divided by its length, which is 1e-6 at least. */
static void length_one(float *y, const float *x, int rows, int n)
{
  for (int r = 0; r < rows; r++) {
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
      sum += x[r * n + i] * x[r * n + i];
    const float length = zoo_sqrt(sum);
    for (int i = 0; i < n; i++)
      y[r * n + i] = x[r * n + i] / (length > 1e-6f ? length : 1e-6f);
  }
}
""",
    "softmax": """
static void softmax(float *y, const float *x, int n, float beta)
{
  float highest = x[0], sum = 0.0f;
  for (int i = 1; i < n; i++)
    highest = x[i] > highest ? x[i] : highest;
  for (int i = 0; i < n; i++)
    sum += y[i] = zoo_exp(beta * (x[i] - highest));
  for (int i = 0; i < n; i++)
    y[i] /= sum;
}
""",
}
