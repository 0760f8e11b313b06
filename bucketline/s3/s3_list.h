// ListObjectsV2, or ListObjectVersions: one page.
#pragma once

#include <functional>

#include "bucketline/s3/s3_client.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

S3Request MakeListRequest(const ListRequest& request);

// ObjectStore::List.
void StartList(S3Client& client, ListRequest request, std::function<void(Result<ListPage>)> done);

}  // namespace bucketline
