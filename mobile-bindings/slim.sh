# What a phone's library leaves out, for whoever builds one: source this file.
#
#   . mobile-bindings/slim.sh
#   cargo rustc … --profile mobile -- "${slim_link_args[@]}"
#
# Nothing here changes what is stored, signed or sent.

# Of SQLite: what nothing in core/store asks for. Full-text search (FTS5) stays.
LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_RTREE -USQLITE_ENABLE_DBSTAT_VTAB"
LIBSQLITE3_FLAGS+=" -USQLITE_ENABLE_LOAD_EXTENSION -DSQLITE_OMIT_LOAD_EXTENSION -USQLITE_ENABLE_STAT4"
LIBSQLITE3_FLAGS+=" -USQLITE_ENABLE_COLUMN_METADATA -USQLITE_SOUNDEX -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE"
LIBSQLITE3_FLAGS+=" -DSQLITE_OMIT_JSON -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_OMIT_TRACE"

# Of zstd: second copies of its loops, and its slowest searches, which no level used here (3 and 9) needs. Frames stay frames
# that every zstd reads.
CFLAGS="${CFLAGS:-} -DDYNAMIC_BMI2=0 -DHUF_FORCE_DECOMPRESS_X1=1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT=1 -DZSTD_NO_INLINE=1"
CFLAGS+=" -DZSTD_STRIP_ERROR_STRINGS=1 -DZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR"
CFLAGS+=" -DZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR"
export LIBSQLITE3_FLAGS CFLAGS

# Relocations packed, as the loader of the system under the library reads them (Android: from API 23).
case ${slim_system:-linux} in
  android) slim_link_args=(-C link-arg=-Wl,--pack-dyn-relocs=android) ;;
  linux) slim_link_args=(-C link-arg=-Wl,-z,pack-relative-relocs) ;;
  apple) slim_link_args=() ;;
esac
