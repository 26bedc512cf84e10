#pragma once
// Packed weights kept on disk: what a kernel wants of a checkpoint's weights is written once, and mapped from then on.
//
// A store is the forms of one checkpoint, in files `NAME.0.pack`, `NAME.1.pack`, … of one folder. Files are never
// changed: new forms make another file, which appears under its name when it is complete. Nothing that a file says is
// believed before it has been checked: its index when it is opened, each form by its checksum before its first use. A file
// that fails is removed, and its forms are made anew.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ito_pack_store ito_pack_store;

/// Opens the store `name` of `folder`, which exists and is the caller's. At most `room` bytes are added to it.
/// `name` says everything that packed bytes depend on besides weight and layout.
ito_pack_store* ito_pack_store_open(const char* folder, const char* name, int64_t room);
/// Closes it; what was not finished is removed. No packs of it may be left.
void ito_pack_store_close(ito_pack_store* store);
/// Makes what was added a file that later runs find. Returns whether `ito_pack_store_statistics` has news since the last.
int ito_pack_store_finish(ito_pack_store* store);
/// Gives the pages of all forms back until they are read again.
void ito_pack_store_release_pages(ito_pack_store* store);
/// Whether it has a form of the `bytes` of weights at `offset` of the checkpoint.
int ito_pack_store_has(ito_pack_store* store, int64_t offset, int64_t bytes);
/// Whether it takes further forms.
int ito_pack_store_takes(ito_pack_store* store);

typedef struct {
  int64_t found, added;    // forms used from files, and written
  int64_t added_bytes;
  int64_t damaged;         // files that were removed because of what they hold
  int32_t error;           // errno of a write that failed, after which nothing is written, or 0
  int32_t is_full;         // a form was left out because of `room`
} ito_pack_store_state;
ito_pack_store_state ito_pack_store_statistics(ito_pack_store* store);

/// As `ito_packs_create`, for the `bytes` of weights at `offset` of the store's checkpoint. The store must outlive it.
void* ito_packs_create_in(ito_pack_store* store, int64_t offset, int64_t bytes);

/// What the bits of packed forms depend on in this process: the libraries that make them, as files and versions, and the
/// instruction set in use.
const char* ito_packing_identity(void);

#ifdef __cplusplus
}
#endif
