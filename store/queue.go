package store

import (
	"context"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// ErrQueueName says that there is a queue with this name.
var ErrQueueName = models.E(models.KindConflict, "queue.name_taken")

// InsertQueue inserts a queue. ErrQueueName.
func (tx *Tx) InsertQueue(ctx context.Context, q *models.Queue) error {
	err := tx.q(ctx).Create(q).Error
	if isUnique(err, "queues_name") {
		return ErrQueueName
	}
	return failed(err, "insert queue")
}

// SaveQueue writes what changes in a queue. ErrStale, ErrQueueName.
func (tx *Tx) SaveQueue(ctx context.Context, q *models.Queue) error {
	was := q.Version
	q.Version++
	res := tx.q(ctx).Model(&models.Queue{}).Where("id = ? AND version = ?", q.ID, was).Select("name", "version").Updates(q)
	if isUnique(res.Error, "queues_name") {
		return ErrQueueName
	}
	return changed(res, "save queue")
}

// SetQueueMember adds a user to a queue or takes the user out.
func (tx *Tx) SetQueueMember(ctx context.Context, q models.QueueID, u models.UserID, in bool) error {
	type queueMember struct {
		QueueID models.QueueID
		UserID  models.UserID
	}
	if in {
		return failed(tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&queueMember{q, u}).Error, "add queue member")
	}
	return failed(tx.q(ctx).Where("queue_id = ? AND user_id = ?", q, u).Delete(&queueMember{}).Error, "remove queue member")
}

// Queues gives all queues by name.
func (r Reader) Queues(ctx context.Context) ([]models.Queue, error) {
	var qs []models.Queue
	return qs, failed(r.q(ctx).Order("lower(name), id").Find(&qs).Error, "read queues")
}

// Queue gives a queue. ErrNotFound.
func (r Reader) Queue(ctx context.Context, id models.QueueID) (models.Queue, error) {
	var q models.Queue
	return q, failed(r.q(ctx).Where("id = ?", id).Take(&q).Error, "read queue")
}

// QueueRows gives all queues by name with what is in them. Conversations are counted up to a thousand.
func (r Reader) QueueRows(ctx context.Context) ([]models.QueueRow, error) {
	waiting := r.q(ctx).Model(&models.Conversation{}).Select("1").Where("queue_id = queues.id AND state = ?", models.Open).Limit(countBound)
	var rows []models.QueueRow
	err := r.q(ctx).Model(&models.Queue{}).Select(`queues.*, (SELECT count(*) FROM (?) AS bounded) AS waiting,
		(SELECT count(*) FROM queue_members JOIN users ON users.id = queue_members.user_id
			WHERE queue_members.queue_id = queues.id AND users.deactivated_at IS NULL) AS members,
		(SELECT count(*) FROM workstreams WHERE workstreams.queue_id = queues.id) AS workstreams`, waiting).
		Order("lower(queues.name), queues.id").Find(&rows).Error
	return rows, failed(err, "read queues")
}

// QueueMembers gives the users of a queue who can sign in, by name.
func (r Reader) QueueMembers(ctx context.Context, id models.QueueID) ([]models.User, error) {
	var us []models.User
	err := r.q(ctx).Joins("JOIN queue_members ON queue_members.user_id = users.id").
		Where("queue_members.queue_id = ? AND users.deactivated_at IS NULL", id).Order("lower(users.name), users.id").Find(&us).Error
	return us, failed(err, "read members of queue")
}

// QueuesOf gives the queues of which a user is a member.
func (r Reader) QueuesOf(ctx context.Context, u models.UserID) ([]models.QueueID, error) {
	var ids []models.QueueID
	err := r.q(ctx).Table("queue_members").Where("user_id = ?", u).Order("queue_id").Pluck("queue_id", &ids).Error
	return ids, failed(err, "read queues of user")
}
