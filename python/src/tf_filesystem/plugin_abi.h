// What TensorFlow's file-system plugin interface looks like in memory, as far as this plugin goes. Declared here so that
// the build needs no TensorFlow. ABI version 0 of every table; TensorFlow refuses the plugin when its own differs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bucketline::tf {

struct Status;  // TensorFlow's TF_Status; see status.h

// What a table's functions are called on; `self` is the plugin's.
struct RandomAccessFile {
  void* self;
};
struct WritableFile {
  void* self;
};
struct MemoryRegion {
  void* self;
};
struct Filesystem {
  void* self;
};

struct FileStatistics {
  int64_t length;      // bytes
  int64_t mtime_nsec;  // since 1970
  bool is_directory;
};

// Called from many threads at a time.
struct RandomAccessFileOps {
  void (*cleanup)(RandomAccessFile* file);
  // The bytes read. Fewer than `n` only with a status: OUT_OF_RANGE at the end of the file.
  int64_t (*read)(const RandomAccessFile* file, uint64_t offset, size_t n, char* buffer, Status* status);
};

struct WritableFileOps {
  void (*cleanup)(WritableFile* file);
  void (*append)(const WritableFile* file, const char* buffer, size_t n, Status* status);
  int64_t (*tell)(const WritableFile* file, Status* status);
  void (*flush)(const WritableFile* file, Status* status);
  void (*sync)(const WritableFile* file, Status* status);
  void (*close)(const WritableFile* file, Status* status);
};

// The table goes on, with transactions and configuration: TensorFlow takes what lies behind `size` as absent. It does
// by itself what is null.
struct FilesystemOps {
  void (*init)(Filesystem* filesystem, Status* status);
  void (*cleanup)(Filesystem* filesystem);
  void (*new_random_access_file)(const Filesystem*, const char* path, RandomAccessFile* file, Status* status);
  void (*new_writable_file)(const Filesystem*, const char* path, WritableFile* file, Status* status);
  void (*new_appendable_file)(const Filesystem*, const char* path, WritableFile* file, Status* status);
  void (*new_memory_region)(const Filesystem*, const char* path, MemoryRegion* region, Status* status);
  void (*create_dir)(const Filesystem*, const char* path, Status* status);
  void (*recursively_create_dir)(const Filesystem*, const char* path, Status* status);
  void (*delete_file)(const Filesystem*, const char* path, Status* status);
  void (*delete_dir)(const Filesystem*, const char* path, Status* status);
  void (*delete_recursively)(const Filesystem*, const char* path, uint64_t* undeleted_files,
                             uint64_t* undeleted_dirs, Status* status);
  void (*rename_file)(const Filesystem*, const char* source, const char* target, Status* status);
  void (*copy_file)(const Filesystem*, const char* source, const char* target, Status* status);
  void (*path_exists)(const Filesystem*, const char* path, Status* status);
  bool (*paths_exist)(const Filesystem*, char** paths, int count, Status** statuses);
  void (*stat)(const Filesystem*, const char* path, FileStatistics* statistics, Status* status);
  // OK and true, or FAILED_PRECONDITION for what is no directory.
  bool (*is_directory)(const Filesystem*, const char* path, Status* status);
  int64_t (*get_file_size)(const Filesystem*, const char* path, Status* status);
  char* (*translate_name)(const Filesystem*, const char* uri);
  // These two give an array of names, array and names allocated by `allocate`, and its length; -1 after an error.
  int (*get_children)(const Filesystem*, const char* path, char*** names, Status* status);
  int (*get_matching_paths)(const Filesystem*, const char* pattern, char*** names, Status* status);
};

template <typename Ops>
struct Table {
  int abi;
  int api;
  size_t size;
  Ops* ops;
};

struct MemoryRegionOps;  // not offered

// All that these point to is allocated by `allocate`; TensorFlow frees it.
struct SchemeInfo {
  char* scheme;
  Table<FilesystemOps> filesystem;
  Table<RandomAccessFileOps> random_access_file;
  Table<WritableFileOps> writable_file;
  Table<MemoryRegionOps> memory_region;
};

struct PluginInfo {
  size_t schemes;
  SchemeInfo* ops;
  void* (*allocate)(size_t size);
  void (*free)(void* pointer);
};

static_assert(sizeof(FilesystemOps) == 21 * sizeof(void*));
static_assert(offsetof(SchemeInfo, random_access_file) == 4 * sizeof(void*));
static_assert(sizeof(SchemeInfo) == 13 * sizeof(void*));

}  // namespace bucketline::tf
