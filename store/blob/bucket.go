package blob

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kanal/models"
)

// s3Tries is how often a request is made before the job that asked for it is tried again.
const s3Tries = 3

// bucket keeps files in a bucket of an S3 store.
type bucket struct {
	client *minio.Client
	name   string
	prefix string
}

func newBucket(c Config) (*bucket, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, ErrURL
	}
	endpoint, err := url.Parse(u.Query().Get("endpoint"))
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" || strings.Trim(endpoint.Path, "/") != "" {
		return nil, ErrURL
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, ErrS3Keys
	}
	region := u.Query().Get("region")
	if region == "" {
		region = "us-east-1"
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(c.AccessKey.Reveal(), c.SecretKey.Reveal(), ""),
		Secure: endpoint.Scheme == "https", Region: region, MaxRetries: s3Tries, Transport: c.Transport,
	})
	if err != nil {
		return nil, ErrURL
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &bucket{client: client, name: u.Host, prefix: prefix}, nil
}

func (b *bucket) check(ctx context.Context) error {
	found, err := b.client.BucketExists(ctx, b.name)
	if err == nil && !found {
		err = os.ErrNotExist
	}
	return b.failed(err, "look for the bucket")
}

// put sends a file of a known size: with an unknown one the library would hold large parts of it in memory.
func (b *bucket) put(ctx context.Context, key string, f *os.File, size int64) error {
	_, err := b.client.PutObject(ctx, b.name, b.prefix+key, f, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: true,
	})
	return b.failed(err, "keep file")
}

func (b *bucket) open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error) {
	object, err := b.client.GetObject(ctx, b.name, b.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.failed(err, "open file")
	}
	info, err := object.Stat()
	if err != nil {
		_ = object.Close()
		return nil, 0, b.failed(err, "open file")
	}
	return object, info.Size, nil
}

func (b *bucket) remove(ctx context.Context, key string) error {
	return b.failed(b.client.RemoveObject(ctx, b.name, b.prefix+key, minio.RemoveObjectOptions{}), "remove file")
}

func (b *bucket) failed(err error, doing string) error {
	if r := minio.ToErrorResponse(err); err != nil && r.StatusCode == http.StatusNotFound && r.Code == minio.NoSuchKey {
		return models.ErrNotFound
	}
	if err != nil {
		return models.Wrap(err, "%s", doing)
	}
	return nil
}
