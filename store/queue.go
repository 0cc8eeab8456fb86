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
	return qs, failed(r.q(ctx).Order("name").Find(&qs).Error, "read queues")
}

// QueuesOf gives the queues of which a user is a member.
func (r Reader) QueuesOf(ctx context.Context, u models.UserID) ([]models.QueueID, error) {
	var ids []models.QueueID
	err := r.q(ctx).Table("queue_members").Where("user_id = ?", u).Order("queue_id").Pluck("queue_id", &ids).Error
	return ids, failed(err, "read queues of user")
}
