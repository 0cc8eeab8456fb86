package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// InsertAlert keeps an alert. The result is false when it is kept already: Twilio's debugger may say the same twice, and
// a call of the fallback address may come again.
func (tx *Tx) InsertAlert(ctx context.Context, a *models.Alert) (bool, error) {
	if a.SID == "" {
		var n int64
		err := tx.q(ctx).Model(&models.Alert{}).Where("account_id = ? AND source = ? AND resource_sid = ? AND error_code = ?", a.AccountID, a.Source, a.ResourceSID, a.ErrorCode).
			Count(&n).Error
		if err != nil || n > 0 {
			return false, failed(err, "look for alert")
		}
	}
	res := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(a)
	return res.RowsAffected > 0, failed(res.Error, "insert alert")
}

// AlertedSince tells whether another alert that says that Twilio did not get through has come since a time.
func (r Reader) AlertedSince(ctx context.Context, a models.Alert, since time.Time) (bool, error) {
	var n int64
	err := r.q(ctx).Model(&models.Alert{}).
		Where("account_id = ? AND received_at >= ? AND id <> ? AND (source = ? OR error_code BETWEEN 11200 AND 11299)", a.AccountID, since, a.ID, models.AlertFallback).
		Count(&n).Error
	return n > 0, failed(err, "look for alerts")
}

// AlertPage is the number of alerts of one page, before those about the same are put together.
const AlertPage = 100

// Alerts gives alerts from before one, 0 for the newest, the newest first. It gives at most one row more than a page:
// then there are more.
func (r Reader) Alerts(ctx context.Context, before models.AlertID) ([]models.AlertRow, error) {
	db := r.q(ctx).Model(&models.Alert{}).
		Select("alerts.*, accounts.name AS account_name, coalesce(messages.id, 0) AS message_id, coalesce(messages.conversation_id, 0) AS conversation_id").
		Joins("JOIN accounts ON accounts.id = alerts.account_id").
		Joins("LEFT JOIN messages ON messages.account_id = alerts.account_id AND messages.provider_sid = alerts.resource_sid")
	if before != 0 {
		db = db.Where("alerts.id < ?", before)
	}
	var rows []models.AlertRow
	err := db.Order("alerts.id DESC").Limit(AlertPage + 1).Find(&rows).Error
	return rows, failed(err, "read alerts")
}

// CountAlerts counts the alerts that came since a time.
func (r Reader) CountAlerts(ctx context.Context, since time.Time) (int, error) {
	var n int64
	err := r.q(ctx).Model(&models.Alert{}).Where("received_at >= ?", since).Count(&n).Error
	return int(n), failed(err, "count alerts")
}
