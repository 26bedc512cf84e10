// Rows and columns packed for strassen.inl: included by it, once per level.

// The power of two that brings the mean of `count` sizes, of which `sum` is the sum, between 1 and 2; 1 where there is none.
static inline float strassen_scale(float sum, int64_t count) {
  constexpr int kLargest = 100;
  const float mean = sum / float(count);
  uint32_t bits;
  __builtin_memcpy(&bits, &mean, 4);
  const int exponent = int(bits >> 23) - 127;
  if (exponent < -kLargest || exponent > kLargest) return 1;
  bits = uint32_t(127 - exponent) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, 4);
  return scale;
}
// Of a row of `count` numbers, a multiple of 32.
template <typename T>
static inline float strassen_scale_of(const T* row, int64_t count) {
  lanes sums[4] = {};
  for (int64_t i = 0; i < count; i += 2 * kLanes)
    for (int64_t j = 0; j < 2; j++) {
      lanes v;
      load_lanes(v, row + i + j * kLanes);
      sums[(i / kLanes + j) % 4] += __builtin_elementwise_abs(v);
    }
  return strassen_scale(sum_of_lanes(sums[0] + sums[1] + sums[2] + sums[3]), count);
}

// Words to a pair's rows of a part of the depth.
template <typename Word>
static inline int64_t strassen_row_offset(const StrassenJob& job, int64_t chunk, int64_t pair_row) {
  return kTerms * (job.pairs * job.begin(chunk) / 2 / kPerWord<Word> + pair_row * job.words(chunk));
}

// Pairs of rows to the sums of their quarters: [part of the depth][step][term][16 words][pair][word].
template <typename T, typename Word>
static void strassen_rows_of(const StrassenJob& job) {
  const ito_product_desc& d = *job.desc;
  constexpr int64_t per = kPerWord<Word>;
  for (int64_t step = 0; step < job.steps; step++) {
    const int64_t begin = job.first_pair(step), count = job.first_pair(step + 1) - begin;
    const T* rows[2 * kRows];
    float scales[2 * kRows];
    for (int64_t r = 0; r < 2 * count; r++) {
      const int64_t row = job.first_row + 2 * begin + r;
      rows[r] = static_cast<const T*>(row < d.m ? job.a : job.zeros) + (row < d.m ? row * d.k : 0);
      scales[r] = strassen_scale_of(rows[r], d.k);
      job.row_scales[2 * begin + r] = 1 / scales[r];
    }
    for (int64_t c = 0; c < job.chunks; c++) {
      const int64_t from = job.begin(c), half = job.words(c) * per, term = count * job.words(c);
      Word* to = reinterpret_cast<Word*>(job.rows) + strassen_row_offset<Word>(job, c, begin);
      for (int64_t i = from; i < from + half; i += per * kLanes)
        for (int64_t r = 0; r < count; r++, to += kLanes) {
          const T *one = rows[2 * r] + i, *two = rows[2 * r + 1] + i;
#pragma clang loop unroll(full)
          for (int64_t part = 0; part < per; part++) {
            lanes a11, a12, a21, a22;
            load_lanes(a11, one + part * kLanes), load_lanes(a12, one + half + part * kLanes);
            load_lanes(a21, two + part * kLanes), load_lanes(a22, two + half + part * kLanes);
            a11 *= scales[2 * r], a12 *= scales[2 * r], a21 *= scales[2 * r + 1], a22 *= scales[2 * r + 1];
            Word* p = to + part * kLanes / per;
            store_words(p, a11 + a22, kLanes);
            store_words(p + term, a21 + a22, kLanes);
            store_words(p + 2 * term, a11, kLanes);
            store_words(p + 3 * term, a22, kLanes);
            store_words(p + 4 * term, a11 + a12, kLanes);
            store_words(p + 5 * term, a21 - a11, kLanes);
            store_words(p + 6 * term, a12 - a22, kLanes);
          }
        }
    }
  }
}
static void strassen_rows(const StrassenJob& job) {
#if ITO_LEVEL == 3
  if (job.by_pairs()) return strassen_rows_of<bf16, pair>(job);
#endif
  job.desc->dtype == ITO_BF16 ? strassen_rows_of<bf16, float>(job)
                              : strassen_rows_of<float, float>(job);
}

// Sixteen columns, [depth][16], as words or as numbers of b's type.
static inline void strassen_keep(const float* from, int64_t depth, bool by_pairs, int64_t dtype, char* to) {
#if ITO_LEVEL == 3
  if (by_pairs) {
    for (int64_t i = 0; i < depth; i += 2, from += 2 * kLanes, to += sizeof(lanes)) {
      lanes first, second;
      load_lanes(first, from), load_lanes(second, from + kLanes);
      zip_words(first, second, reinterpret_cast<float*>(to));
    }
    return;
  }
#endif
  ito_convert(from, ITO_F32, to, int(dtype), depth * kLanes);
}
// Columns of a block, each scaled. Float16 has no room for a scale, but where it becomes bfloat16.
template <typename K>
static void strassen_columns_of(const StrassenJob& job, const K* b, int64_t block, char* packed, float* scales) {
  const ito_product_desc& d = *job.desc;
  constexpr int64_t kAtOnce = 64;
  float wide[kAtOnce * kLanes];
  for (int64_t panel = 0; panel < 2 * kPanels; panel++) {
    const int64_t column = block * kColumns + panel * kLanes, left = d.n - column;
    const int64_t width = left < 0 ? 0 : left < kLanes ? left : kLanes;
    float scale[kLanes];
    for (int64_t i = 0; i < kLanes; i++) {
      const bool scales_it = i < width && (job.by_pairs() || d.b_dtype != ITO_F16);
      scale[i] = scales_it ? strassen_scale_of(b + (column + i) * d.b_stride, d.k) : 1;
      scales[column + i] = 1 / scale[i];
    }
    lanes by;
    load_lanes(by, scale);
    if (width < kLanes) memset(wide, 0, sizeof(wide));
    for (int64_t c = 0; c < job.chunks; c++)
      for (int64_t h = 0; h < 2; h++) {
        const int64_t half = job.words(c) * job.per_word, begin = job.begin(c) + h * half;
        char* to = packed + job.offset(c, block) + (h * 2 * kPanels + panel) * half * kLanes * job.element();
        for (int64_t i = 0; i < half; i += kAtOnce) {
          const int64_t count = half - i < kAtOnce ? half - i : kAtOnce;
          transpose(b + column * d.b_stride + begin + i, d.b_stride, width, count, wide, kLanes);
          for (int64_t j = 0; j < count; j++) {
            lanes v;
            load_lanes(v, wide + j * kLanes);
            v *= by;
            __builtin_memcpy(wide + j * kLanes, &v, sizeof(v));
          }
          strassen_keep(wide, count, job.by_pairs(), d.b_dtype, to + i * kLanes * job.element());
        }
      }
  }
}
static void strassen_columns(const StrassenJob& job, const void* b, int64_t block, char* packed, float* scales) {
  switch (job.desc->b_dtype) {
    case ITO_BF16: return strassen_columns_of(job, static_cast<const bf16*>(b), block, packed, scales);
    case ITO_F16: return strassen_columns_of(job, static_cast<const f16*>(b), block, packed, scales);
    default: return strassen_columns_of(job, static_cast<const float*>(b), block, packed, scales);
  }
}
